import type pg from "pg";
import type { Config } from "../config/schema.js";
import type { Logger } from "../logger.js";
import { archiveUntil, findDue } from "../queue/archive.js";
import { dropHistory, prepareHistory } from "../queue/history.js";
import { nextDueInMs, promoteDue } from "../queue/promote.js";
import { topUpRanges } from "../queue/ranges.js";
import type { ReleasedJob } from "../queue/release.js";
import { takeSample } from "../queue/samples.js";
import { sweepLostSupervisors, sweepOverdue, trimFailures, wakeForPending } from "../queue/sweep.js";
import { vacuumJobs } from "../queue/vacuum.js";
import type { Duty } from "./run-duties.js";
import { createTellReaders } from "./tell-readers.js";

export interface DutiesContext {
  pool: pg.Pool;
  config: Config;
  log: Logger;
  /** The supervisor of this process, as long as its lease is known to hold. */
  ownSupervisor(): string | undefined;
  /**
   * When this process's session was made again after it had lost one, by performance.now(): others may have
   * lost theirs with it. Undefined: it never lost one.
   */
  reconnectedAt: number | undefined;
}

/** Jobs that one statement promotes at most. */
const biteSize = 1_000;
/** Jobs that one statement archives at most: bites that never hold locks for long. */
const archiveBite = 5_000;
/** The archive looks again so soon after it found much, little, or nothing: with a range open, that may change at once. */
const archiveMs = { much: 100, little: 1_000, nothing: 5_000, nothingYet: 250 };
/** Archived jobs after which the table is vacuumed, ... */
const vacuumAfter = 2 * archiveBite;
/** ... and so many times as long as that took nobody does it again. */
const vacuumRest = 3;
/** While the archive is behind, ranges fill so much of their window: it takes away more than comes. */
const windowWhileBehind = 1 / 4;
/** How often hosts that are lost are looked for: a schema of one daemon has none. */
const sweepMs = { withOthers: 1_000, alone: 2_500 };
/** How often the days of processing_history are looked after. */
const partitionsMs = 3_600_000;
/** Hints come with every insert; looking is worth it so often at most. A hint that is lost is made up for by the interval. */
const afterHintMs = 50;

/** What the leading orchestrator does for everybody who shares the schema, beside following the chain. */
export function createDuties({ pool, config, log, ownSupervisor, reconnectedAt }: DutiesContext): Duty[] {
  const intervalMs = config.pipeline.check_interval * 1_000;
  const limits = {
    maxDeaths: config.pipeline.max_attempts,
    timeoutMs: config.pipeline.timeout_minutes * 60_000,
  };
  // Leadership changes hands when the database comes back too: from then on, living supervisors get the time of
  // a lease to take their locks again before anybody calls them lost. Where only a leader died, nobody needs it.
  const began = performance.now();
  let sweepFrom: number | undefined;
  const graceEnds = async (): Promise<number> => {
    const backAt = Math.max(began - (await serverUpMs(pool)), reconnectedAt ?? Number.NEGATIVE_INFINITY);
    return backAt + config.database.lease_seconds * 1_000;
  };
  const seenLost = new Set<string>();
  let thoroughAt = 0;
  let partitionsAt = 0;
  let isRangeOpen = false;
  let isArchiveBehind = false;
  /** Known while the archive is behind. */
  let dueUntil: string | null = null;
  let archivedSince = 0;
  let vacuumAt = 0;
  const vacuum = async (archived: number): Promise<void> => {
    // Through a pooler every statement runs in a transaction, and VACUUM cannot: there autovacuum is alone with it.
    if (config.database.listen_url !== "") return;
    archivedSince += archived;
    const started = performance.now();
    if (archivedSince < vacuumAfter || started < vacuumAt) return;
    await vacuumJobs(pool);
    archivedSince = 0;
    // Where an old transaction keeps what is dead, each one is longer than the last, and in vain.
    vacuumAt = performance.now() + vacuumRest * (performance.now() - started);
  };

  return [
    {
      name: "promote due jobs",
      afterHintMs,
      async run() {
        const promoted = await promoteDue(pool, biteSize);
        return promoted === biteSize ? 0 : Math.min(intervalMs, (await nextDueInMs(pool)) ?? intervalMs);
      },
    },
    {
      name: "top ranges up",
      afterHintMs,
      async run() {
        const { range_window: window } = config.queue;
        const { open } = await topUpRanges(
          pool,
          isArchiveBehind ? Math.ceil(window * windowWhileBehind) : window,
        );
        isRangeOpen = open;
        return open ? 250 : intervalMs;
      },
    },
    {
      name: "sweep",
      async run(signal) {
        sweepFrom ??= await graceEnds();
        // The session may have been lost meanwhile: then the living get their time again.
        if (signal?.aborted) return 0;
        const tooEarlyMs = sweepFrom - performance.now();
        if (tooEarlyMs > 0) return tooEarlyMs;
        const thorough = performance.now() >= thoroughAt;
        // When its own supervisor dies, this process has a moment left, and so have the workers: they give back.
        const except = ownSupervisor();
        const { released, alone } = await sweepLostSupervisors(pool, {
          ...limits,
          thorough,
          except,
          seenLost,
        });
        logReleased(log, released);
        if (thorough) {
          thoroughAt = performance.now() + intervalMs;
          logReleased(log, await sweepOverdue(pool, limits));
          await trimFailures(pool, config.queue.failures_kept);
          await wakeForPending(pool, config.database.schema);
        }
        return alone ? sweepMs.alone : sweepMs.withOthers;
      },
    },
    {
      name: "archive",
      async run() {
        const { archive_minutes, completed_kept, history_days } = config.queue;
        const keepHistory = history_days > 0;
        if (performance.now() >= partitionsAt) {
          if (keepHistory) await prepareHistory(pool);
          await dropHistory(pool, history_days);
          partitionsAt = performance.now() + partitionsMs;
        }
        const olderThanMs = archive_minutes * 60_000;
        dueUntil ??= await findDue(pool, { olderThanMs, kept: completed_kept });
        const archived =
          dueUntil === null ? 0 : await archiveUntil(pool, dueUntil, { keepHistory, limit: archiveBite });
        isArchiveBehind = archived === archiveBite;
        if (!isArchiveBehind) dueUntil = null;
        await vacuum(archived);
        if (isArchiveBehind) return 0;
        if (archived === 0) return isRangeOpen ? archiveMs.nothingYet : archiveMs.nothing;
        return archived > archiveBite / 10 ? archiveMs.much : archiveMs.little;
      },
    },
    ...(config.feed.enabled ? [createTellReaders({ pool, config })] : []),
    { name: "sample", run: () => takeSample(pool) },
  ];
}

function logReleased(log: Logger, released: ReleasedJob[]): void {
  if (released.length === 0) return;
  const failed = released.filter(({ status }) => status === "failed").length;
  const workers = [...new Set(released.map(({ workerId }) => workerId))];
  log.warn({ jobs: released.length, failed, workers }, "released the claims of lost workers");
}

async function serverUpMs(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ ms: number }>(
    "select extract(epoch from clock_timestamp() - pg_postmaster_start_time())::float8 * 1000 as ms",
  );
  return rows[0]?.ms ?? 0;
}
