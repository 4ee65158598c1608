import type pg from "pg";
import type { Config } from "../config/schema.js";
import { describeLockWait, findLockWait } from "../db/lock-waits.js";
import { readFeed } from "../feed/read-feed.js";
import { readOpenAlerts } from "../queue/alerts.js";
import { readPause } from "../queue/pause.js";
import { type Depth, readDepth } from "../queue/read-depth.js";
import { readLatestFailures } from "../queue/read-failures.js";
import { type HeadStatus, readHeadStatus } from "../queue/read-head-status.js";
import { readOpenRanges } from "../queue/read-open-ranges.js";
import { readProgress } from "../queue/read-progress.js";
import { readWorkers } from "../queue/read-workers.js";
import { type Redact, redactTexts } from "../redact.js";
import { readNewestBlock } from "../store/newest-block.js";
import { readNewestUpTo } from "../store/read-newest-up-to.js";
import { endpointStates } from "./endpoint-states.js";

/** Waits for locks that are longer are told. */
const lockWaitMs = 3_000;
const workersRead = 500;
const rangesShown = 10;
const failuresShown = 5;
const readersShown = 10;

/** What `blockmill status --json` prints. */
export type Status = Awaited<ReturnType<typeof readStatus>>;

/** The state of a schema at this moment, without secrets: bounded statements, one after the other. */
export async function readStatus(pool: pg.Pool, { config, redact }: { config: Config; redact: Redact }) {
  const depth = await readDepth(pool);
  const { jobs, stored, behind, waiting } = depth;
  const pause = await readPause(pool);
  const head = await readHeadStatus(pool);
  const newest = await readNewestBlock(pool);
  const ranges = await readOpenRanges(pool, rangesShown);
  const workers = await readWorkers(pool, workersRead + 1);
  const moreWorkers = workers.splice(workersRead).length > 0;
  const failures = await readLatestFailures(pool, failuresShown);
  const endpoints = endpointStates(workers);
  const alerts = await readOpenAlerts(pool);
  const lockWait = await findLockWait(pool, lockWaitMs);
  return {
    schema: config.database.schema,
    pause,
    jobs,
    stored,
    newestBlock: newest?.number ?? null,
    head,
    /** Blocks up to the head that were asked for and are not stored, whatever became of their jobs. */
    lagBlocks: head === null ? null : behind.count,
    lagIsAtLeast: behind.atLeast,
    /** The age of the newest block below which nothing that was asked for is missing; null: there is none, or no head. */
    lagSeconds: head === null ? null : await readLagSeconds(pool, head),
    /** Jobs whose block is not there yet, and the lowest of them. */
    waiting: { jobs: waiting.count, isAtLeast: waiting.atLeast, firstBlock: waiting.firstBlock },
    blocksPerSecond: rateOf(depth, config.queue),
    ranges,
    leader:
      workers.find(({ role, state, lives }) => lives && role === "orchestrator" && state === "leading")
        ?.workerId ?? null,
    /** There are more than those that are listed. */
    moreWorkers,
    workers: workers.map(({ doing, ...worker }) => ({ ...worker, doing: redactTexts(doing, redact) })),
    endpoints: endpoints.map((each) => ({
      ...each,
      reason: each.reason === null ? null : redact(each.reason),
    })),
    /** How far readers were told of the chain; null: the feed is off. */
    feed: await readFeed(pool, readersShown),
    /** Who keeps us waiting for a lock, and since when, at this moment; null: nobody. */
    lockWait: lockWait === null ? null : redact(describeLockWait(lockWait)),
    alerts: alerts.map((alert) => ({ ...alert, message: redact(alert.message) })),
    failures: failures.map((failure) => redactTexts(failure, redact)),
  };
}

/** By the chain's own times and the database's clock: it grows while anything is stuck. */
async function readLagSeconds(pool: pg.Pool, { headAgeSeconds }: HeadStatus): Promise<number | null> {
  const { head, lowestMissing } = await readProgress(pool);
  const contiguous = await readNewestUpTo(pool, lowestMissing === null ? null : lowestMissing - 1);
  if (head === null || contiguous === null) return null;
  return Math.max(0, headAgeSeconds + head.timestamp - contiguous.timestamp);
}

/**
 * Over the last minute; over less where completed jobs are archived before they are a minute old, or are too many to be
 * counted.
 */
function rateOf({ jobs, lastMinute, oldestCompletionSeconds }: Depth, queue: Config["queue"]): number {
  const archivedEarly = jobs.completed.count >= queue.completed_kept || queue.archive_minutes < 1;
  const since = lastMinute.atLeast ? lastMinute.oldestSeconds : archivedEarly ? oldestCompletionSeconds : 60;
  return lastMinute.count / Math.min(60, Math.max(1, since ?? 60));
}
