import type { Sql } from "../db/pool.js";
import { type JobStatus, statuses } from "./job-status.js";

/** A count that stopped at a bound says so. */
export interface BoundedCount {
  count: number;
  /** There are at least so many. */
  atLeast: boolean;
}

export interface Depth {
  jobs: Record<JobStatus, BoundedCount>;
  /** Blocks that are archived, or whose completed job is still in processing_jobs. */
  stored: BoundedCount;
  completedInLastMinute: BoundedCount;
  /** Seconds since the oldest completion that is still in processing_jobs; null: there is none. */
  oldestCompletionSeconds: number | null;
}

const maxJobs = 100_000;
const maxCompleted = 500_000;

// Each subquery walks a partial index of its own, at most so far. Pending and processing share one, in
// the order of claims, at whose beginning the claims in hand stand.
const statement = `
  with queued as (
    select status from processing_jobs where queued order by priority desc, block_number limit $1
  ),
  halted as (
    select status from processing_jobs where not queued and completed_at is null and due_at is null limit $1
  ),
  completed as (
    select block_number from processing_jobs where completed_at is not null limit $2
  )
  select
    (select count(*) from queued) as queued,
    (select count(*) from queued where status = ${statuses.processing}) as processing,
    (select count(*) from (select from processing_jobs where due_at is not null limit $1) as t) as scheduled,
    (select count(*) from halted) as halted,
    (select count(*) from halted where status = ${statuses.failed}) as failed,
    (select count(*) from completed) as completed,
    (select count(*) from (
       select from processing_jobs where completed_at > clock_timestamp() - interval '1 minute' limit $2
     ) as t) as last_minute,
    (select extract(epoch from clock_timestamp() - min(completed_at))::float8 from processing_jobs
     where completed_at > '-infinity') as oldest,
    (select coalesce(sum(upper(piece) - lower(piece)), 0)::bigint from unnest(
       (select blocks from processing_coverage)
       + coalesce((select range_agg(int8range(block_number, block_number + 1)) from completed), '{}')
     ) as piece) as stored`;

const maxFailed = 10_000;

/** How many jobs are failed: one walk of the index of what stays for a person, at most so far. */
export async function countFailed(sql: Sql): Promise<BoundedCount> {
  const { rows } = await sql.query<{ halted: number; failed: number }>(
    `select count(*) as halted, count(*) filter (where status = ${statuses.failed}) as failed
     from (
       select status from processing_jobs where not queued and completed_at is null and due_at is null limit $1
     ) as halted`,
    [maxFailed],
  );
  const { halted = 0, failed = 0 } = rows[0] ?? {};
  return { count: Number(failed), atLeast: Number(halted) >= maxFailed };
}

interface Row {
  queued: number;
  processing: number;
  scheduled: number;
  halted: number;
  failed: number;
  completed: number;
  last_minute: number;
  oldest: number | null;
  stored: number;
}

/** How many jobs are in each status, counted up to a bound, so that it is cheap at any size of the queue. */
export async function readDepth(sql: Sql): Promise<Depth> {
  const { rows } = await sql.query<Row>(statement, [maxJobs, maxCompleted]);
  const row = rows[0];
  if (row === undefined) throw new Error("a select without from returned no row");
  const bounded = (count: number, atLeast: boolean): BoundedCount => ({ count, atLeast });
  const manyQueued = row.queued >= maxJobs;
  const manyHalted = row.halted >= maxJobs;
  const manyCompleted = row.completed >= maxCompleted;
  return {
    jobs: {
      pending: bounded(row.queued - row.processing, manyQueued),
      scheduled: bounded(row.scheduled, row.scheduled >= maxJobs),
      processing: bounded(row.processing, manyQueued),
      completed: bounded(row.completed, manyCompleted),
      failed: bounded(row.failed, manyHalted),
      cancelled: bounded(row.halted - row.failed, manyHalted),
    },
    stored: bounded(row.stored, manyCompleted),
    completedInLastMinute: bounded(row.last_minute, row.last_minute >= maxCompleted),
    oldestCompletionSeconds: row.oldest,
  };
}
