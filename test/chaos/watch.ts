// Looks at the database all along, each time in a snapshot of its own: what must hold at every moment.

import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { commandLine } from "../support/daemon.js";
import type { World } from "./world.js";

/** Claims of a dead worker must be gone by then while the database answers: the longest layer, and some. */
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

export function watchInvariants(world: World): Watch {
  const said = new Set<string>();
  const dead = new Map<string, number>();
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
    const now = performance.now();
    const held = new Set(claims.rows.map(({ worker }) => worker));
    for (const worker of dead.keys()) if (!held.has(worker) || living.has(worker)) dead.delete(worker);
    for (const worker of held) {
      if (living.has(worker)) continue;
      const since = dead.get(worker) ?? now;
      dead.set(worker, since);
      longest = Math.max(longest, now - since);
      const late = `claims of the dead worker ${worker} for more than ${deadClaimLimitMs / 1_000} s`;
      if (now - since > deadClaimLimitMs && !told.has(late)) {
        told.add(late);
        const { rows: facts } = await world.pool.query<{ facts: string }>(aboutOwner, [worker]);
        complain(`${late}: ${facts[0]?.facts}`);
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

/** The ids of the workers that run, stopped ones too: their command lines bear them. */
export function livingWorkers(): Set<string> {
  const processes = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return new Set(processes.flatMap((pid) => commandLine(Number(pid))[2] ?? []));
}
