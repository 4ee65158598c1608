// Looks at the database all along, each time in a snapshot of its own: what must hold at every moment.

import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLine } from "../support/daemon.js";
import type { World } from "./world.js";

/**
 * Claims of a dead worker must be gone by then while the database answers: the longest layer, and some. Whoever takes them
 * may have to start first, all of its processes, which is computing: time counts by the share of a core that the machine
 * gives who computes, as it is measured meanwhile.
 */
const deadClaimLimitMs = 20_000;
const everyMs = 250;

const looks = `
  select 'block ' || b.number || ' does not link to its parent' as what
  from blocks a join blocks b on b.number = a.number + 1
  where b.parent_hash <> a.hash and a.number > (select max(number) - 400 from blocks)
  union all
  select 'block ' || block_number || ' is completed, but ' ||
    case when blocks.hash is null then 'not stored' else 'of another hash than its job wanted' end
  from processing_jobs left join blocks on blocks.number = block_number
  where status = 'completed' and (blocks.hash is null or blocks.hash <> block_hash)
    and result ->> 'absent' is distinct from 'true'
  union all
  select 'block ' || block_number || ' is a completed job, and in the coverage'
  from processing_jobs, processing_coverage where status = 'completed' and blocks @> block_number
  union all
  select 'job ' || id || ' has a queued block that is negative' from processing_jobs where block_number < 0`;

/** Who should have released a claim, and why nobody did. */
const aboutOwner = `
  select format('registered: %s, its lock held: %s, leading: %s, database up since %s',
    exists (select from processing_workers where supervisor_id = split_part($1, '/', 1)),
    exists (select from pg_locks where locktype = 'advisory' and granted
      and (classid::bigint << 32) | objid::bigint = hashtextextended(split_part($1, '/', 1), 0)),
    (select string_agg(worker_id || ' for ' || (now() - started_at), ', ') from processing_workers where state = 'leading'),
    now() - pg_postmaster_start_time()) as facts`;

export interface Watch {
  /** How many times it could look. */
  readonly looks: number;
  /** The longest that a claim of a dead worker was seen, in milliseconds. */
  readonly longestDeadClaimMs: number;
  stop(): Promise<void>;
}

export interface WatchOptions {
  deadClaimLimitMs: number;
  share(): number;
}

export function watchInvariants(
  world: World,
  { deadClaimLimitMs: limitMs, share }: WatchOptions = { deadClaimLimitMs, share: shareOfCore },
): Watch {
  const said = new Set<string>();
  const dead = new Map<string, { since: number; countedMs: number }>();
  let lookedAt = performance.now();
  const told = new Set<string>();
  let count = 0;
  let longest = 0;
  let stopped = false;
  const complain = (what: string): void => {
    if (said.has(what) || said.size > 200) return;
    said.add(what);
    world.tally.brokenBy(what);
  };

  const look = async (): Promise<void> => {
    const { rows } = await world.pool.query<{ what: string }>(looks);
    for (const { what } of rows) complain(what);
    const claims = await world.pool.query<{ worker: string }>(
      "select distinct worker_id as worker from processing_jobs where status = 'processing'",
    );
    const living = livingWorkers();
    const given = share();
    const now = performance.now();
    const passedMs = (now - lookedAt) * given;
    lookedAt = now;
    const held = new Set(claims.rows.map(({ worker }) => worker));
    for (const worker of dead.keys()) if (!held.has(worker) || living.has(worker)) dead.delete(worker);
    for (const worker of held) {
      if (living.has(worker)) continue;
      const known = dead.get(worker);
      const { since, countedMs } =
        known === undefined
          ? { since: now, countedMs: 0 }
          : { ...known, countedMs: known.countedMs + passedMs };
      dead.set(worker, { since, countedMs });
      longest = Math.max(longest, now - since);
      if (countedMs > limitMs && !told.has(worker)) {
        told.add(worker);
        const { rows: facts } = await world.pool.query<{ facts: string }>(aboutOwner, [worker]);
        const late = `claims of the dead worker ${worker} for ${((now - since) / 1_000).toFixed(1)} s`;
        complain(`${late}, of which ${(countedMs / 1_000).toFixed(1)} s count: ${facts[0]?.facts}`);
      }
    }
    count += 1;
  };
  const looking = (async () => {
    while (!stopped) {
      await look().catch(() => {
        // The database is away: nothing can be said, and nobody can be late.
        dead.clear();
      });
      await sleep(everyMs);
    }
  })();
  return {
    get looks() {
      return count;
    },
    get longestDeadClaimMs() {
      return longest;
    },
    async stop() {
      stopped = true;
      await looking;
    },
  };
}

/** How long it computes to see how much of a core it is given. */
const probeMs = 5;

/** How much of a core is given, at this moment, to a process that computes: 1, the whole of it. */
function shareOfCore(): number {
  const started = performance.now();
  const before = process.cpuUsage();
  let usedMs = 0;
  while (usedMs < probeMs) {
    const { user, system } = process.cpuUsage(before);
    usedMs = (user + system) / 1_000;
  }
  return Math.min(1, usedMs / (performance.now() - started));
}

/** The ids of the workers that run, stopped ones too: their command lines bear them. */
export function livingWorkers(): Set<string> {
  const processes = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return new Set(processes.flatMap((pid) => commandLine(Number(pid))[2] ?? []));
}
