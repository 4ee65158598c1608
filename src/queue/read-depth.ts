import type { Sql } from "../db/pool.js";
import { saysAbsent } from "./absent.js";
import { type JobStatus, statuses } from "./job-status.js";

/** A count that stopped at a bound says so. */
export interface BoundedCount {
  count: number;
  /** There are at least so many. */
  atLeast: boolean;
}

export interface Depth {
  jobs: Record<JobStatus, BoundedCount>;
  /** Blocks that are archived, or whose completed job is still in processing_jobs, without numbers that have no block. */
  stored: BoundedCount;
  /** Completions of the last minute, the newest; `oldestSeconds`: how long ago the first of them was, null: there is none. */
  lastMinute: BoundedCount & { oldestSeconds: number | null };
  /** Seconds since the oldest completion that is still in processing_jobs; null: there is none. */
  oldestCompletionSeconds: number | null;
  /**
   * Blocks up to the head that were asked for and are not stored, tried or not: jobs that are open or failed, what open
   * ranges still hold, and heads that are no jobs yet. 0 before a head was seen.
   */
  behind: BoundedCount;
  /** Jobs that wait for their block to be there, and the lowest of their blocks. */
  waiting: BoundedCount & { firstBlock: number | null };
}

/** Jobs of one kind that are read at most. */
export const mostCounted = 10_000;
/** Completed jobs that are read at most: more than queue.completed_kept leaves by default. */
export const mostCompleted = 12_000;
/** Open ranges that are read at most. */
export const mostRanges = 2_000;
/** The newest completions, of which the rate is told. */
export const mostOfMinute = 5_000;

// Each list walks a partial index of its own, in its order: without one PostgreSQL may begin with the table. Pending and
// processing share the claim's, at whose beginning the claims in hand stand. The coverage is read once for each use, not
// once for each range: it may have many holes.
const statement = `
  with chain as (select head_number as head, next_block from processing_head),
  queued as (
    select status, block_number from processing_jobs where queued order by priority desc, block_number limit $1
  ),
  due as (
    select block_number, absences from processing_jobs where due_at is not null order by due_at limit $1
  ),
  halted as (
    select status, block_number from processing_jobs
    where not queued and completed_at is null and due_at is null order by block_number limit $1
  ),
  completed as (
    select block_number, coalesce(${saysAbsent}, false) as is_absent
    from processing_jobs where completed_at is not null order by completed_at desc limit $2
  ),
  newest as (
    select completed_at from processing_jobs
    where completed_at > statement_timestamp() - interval '1 minute'
      and completed_at < statement_timestamp() + interval '1 minute'
    order by completed_at desc limit $4
  ),
  open as (
    select next_block, to_block from processing_ranges
    where enqueued_at is null and cancelled_at is null order by priority desc, id limit $3
  ),
  ahead as (
    select range_agg(int8range(open.next_block, least(to_block, head) + 1)) as blocks
    from open, chain where open.next_block <= head
  )
  select
    (select count(*) from queued) as queued,
    (select count(*) from queued where status = ${statuses.processing}) as processing,
    (select count(*) from due) as scheduled,
    (select count(*) from halted) as halted,
    (select count(*) from halted where status = ${statuses.failed}) as failed,
    (select count(*) from completed) as completed,
    (select count(*) from newest) as last_minute,
    (select extract(epoch from clock_timestamp() - min(completed_at))::float8 from newest) as oldest_of_minute,
    (select extract(epoch from clock_timestamp() - min(completed_at))::float8 from processing_jobs
     where completed_at > '-infinity') as oldest,
    (select coalesce(sum(upper(piece) - lower(piece)), 0)::bigint from unnest(
       (select blocks - absent from processing_coverage)
       + coalesce((select range_agg(int8range(block_number, block_number + 1)) from completed where not is_absent), '{}')
     ) as piece) as stored,
    (select count(*) from queued where block_number <= head)
      + (select count(*) from due where block_number <= head)
      + (select count(*) from halted where status = ${statuses.failed} and block_number <= head)
      + (select coalesce(sum(upper(piece) - lower(piece)), 0)::bigint
         from ahead, unnest(ahead.blocks - (select blocks from processing_coverage)) as piece)
      + greatest(coalesce(head + 1 - next_block, 0), 0) as behind,
    (select count(*) from open) as ranges,
    (select count(*) from due where absences > 0) as waiting,
    (select min(block_number) from due where absences > 0) as first_waiting
  from (select) as one left join chain on true`;

interface Row {
  queued: number;
  processing: number;
  scheduled: number;
  halted: number;
  failed: number;
  completed: number;
  last_minute: number;
  oldest_of_minute: number | null;
  oldest: number | null;
  stored: number;
  behind: number | null;
  ranges: number;
  waiting: number;
  first_waiting: number | null;
}

/** What the queue holds, counted up to a bound, so that it is cheap at any size of the queue. */
export async function readDepth(sql: Sql): Promise<Depth> {
  const { rows } = await sql.query<Row>(statement, [mostCounted, mostCompleted, mostRanges, mostOfMinute]);
  const row = rows[0];
  if (row === undefined) throw new Error("a select without from returned no row");
  const bounded = (count: number, atLeast: boolean): BoundedCount => ({ count: Number(count), atLeast });
  const many = {
    queued: row.queued >= mostCounted,
    scheduled: row.scheduled >= mostCounted,
    halted: row.halted >= mostCounted,
    completed: row.completed >= mostCompleted,
    ranges: row.ranges >= mostRanges,
  };
  return {
    jobs: {
      pending: bounded(row.queued - row.processing, many.queued),
      scheduled: bounded(row.scheduled, many.scheduled),
      processing: bounded(row.processing, many.queued),
      completed: bounded(row.completed, many.completed),
      failed: bounded(row.failed, many.halted),
      cancelled: bounded(row.halted - row.failed, many.halted),
    },
    stored: bounded(row.stored, many.completed),
    lastMinute: {
      ...bounded(row.last_minute, row.last_minute >= mostOfMinute),
      oldestSeconds: row.oldest_of_minute,
    },
    oldestCompletionSeconds: row.oldest,
    behind: bounded(row.behind ?? 0, many.queued || many.scheduled || many.halted || many.ranges),
    waiting: {
      ...bounded(row.waiting, many.scheduled),
      firstBlock: row.first_waiting === null ? null : Number(row.first_waiting),
    },
  };
}

/** How many jobs are failed: one walk of the index of what stays for a person. */
export async function countFailed(sql: Sql): Promise<BoundedCount> {
  const { rows } = await sql.query<{ halted: number; failed: number }>(
    `select count(*) as halted, count(*) filter (where status = ${statuses.failed}) as failed
     from (
       select status from processing_jobs
       where not queued and completed_at is null and due_at is null order by block_number limit $1
     ) as halted`,
    [mostCounted],
  );
  const { halted = 0, failed = 0 } = rows[0] ?? {};
  return { count: Number(failed), atLeast: Number(halted) >= mostCounted };
}
