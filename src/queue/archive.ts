import type pg from "pg";
import { inTransaction, type Sql } from "../db/pool.js";
import { saysAbsent } from "./absent.js";
import { statuses } from "./job-status.js";
import { lockCoverage } from "./lock-coverage.js";

// A time as text keeps its microseconds.
const due = `
  with limits as materialized (
    select greatest(
      clock_timestamp() - $1 * interval '1 millisecond',
      (select completed_at from processing_jobs
       where completed_at is not null order by completed_at desc offset $2 limit 1)
    ) as until
  )
  select until::text as until from limits
  where exists (
    select from processing_jobs where status = ${statuses.completed} and completed_at <= (select until from limits)
  )`;

// By their places, which the locks keep. One that another transaction has just moved is not seen there: it is met the
// next time. What is folded into the coverage are whole runs of blocks: to join single ones costs more than
// to delete their jobs.
const fold = `
  with gone as (
    delete from processing_jobs
    where status = ${statuses.completed} and ctid = any (array(
      select ctid from processing_jobs
      where status = ${statuses.completed} and completed_at <= $1::timestamptz
      order by completed_at
      limit $3
      for update skip locked
    ))
    returning completed_at, block_number, id, priority, created_at, started_at, worker_id, attempts, metadata, result
  ),
  kept as (
    insert into processing_history
      (completed_at, block_number, id, priority, created_at, started_at, worker_id, attempts, metadata, result)
    select completed_at, block_number, id, priority, created_at, started_at, worker_id, attempts, metadata, result
    from gone where $2
  ),
  runs as (
    select int8range(min(block_number), max(block_number) + 1) as run
    from (select block_number, block_number - row_number() over (order by block_number) as start from gone) as numbered
    group by start
  ),
  folded as (
    update processing_coverage
    set blocks = blocks + (select range_agg(run) from runs),
        absent = absent - (select range_agg(run) from runs) + coalesce((
          select range_agg(int8range(block_number, block_number + 1)) from gone where ${saysAbsent}
        ), '{}')
    where exists (select from gone)
  )
  select count(*) as count from gone`;

export interface DueOptions {
  olderThanMs: number;
  /** The newest completed jobs that stay; those beyond go whatever their age. */
  kept: number;
}

export interface BiteOptions {
  /** Whether they are written to processing_history, whose days must be there (`prepareHistory`). */
  keepHistory: boolean;
  /** At most so many jobs. */
  limit: number;
}

/**
 * Until when completed jobs are due to be archived: those that are older than `olderThanMs`, and those beyond
 * the newest `kept`. Null: none is. To look for it walks over the `kept` ones, and it holds for later as well:
 * jobs that complete meanwhile only make more of them due.
 */
export async function findDue(sql: Sql, { olderThanMs, kept }: DueOptions): Promise<string | null> {
  const { rows } = await sql.query<{ until: string }>(due, [olderThanMs, kept]);
  return rows[0]?.until ?? null;
}

/**
 * Folds jobs that were completed until then into processing_coverage and takes them out of processing_jobs, the
 * oldest first. Returns how many. Claims are never in its way: it locks completed jobs, and passes over locked ones.
 */
export async function archiveUntil(
  pool: pg.Pool,
  until: string,
  { keepHistory, limit }: BiteOptions,
): Promise<number> {
  return inTransaction(pool, async (tx) => {
    // Before the statement that reads it, in a statement of its own: two archives at once would each add
    // to what they read before the other wrote; and jobs of blocks that are being removed would be folded.
    await lockCoverage(tx);
    const { rows } = await tx.query<{ count: number }>(fold, [until, keepHistory, limit]);
    return rows[0]?.count ?? 0;
  });
}

export type ArchiveOptions = DueOptions & BiteOptions;

/** Archives what is due now, as `archiveUntil` does. Nothing is locked while nothing is due. */
export async function archiveJobs(pool: pg.Pool, options: ArchiveOptions): Promise<number> {
  const until = await findDue(pool, options);
  return until === null ? 0 : archiveUntil(pool, until, options);
}
