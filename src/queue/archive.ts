import type pg from "pg";
import { inTransaction } from "../db/pool.js";

const beyond = `beyond as (
    select completed_at as at from processing_jobs
    where completed_at is not null order by completed_at desc offset $2 limit 1
  )`;
const isDue = `status = 'completed'
      and completed_at <= greatest(clock_timestamp() - $1 * interval '1 millisecond', (select at from beyond))`;

const fold = `
  with ${beyond},
  bite as materialized (
    select id from processing_jobs
    where ${isDue}
    order by completed_at
    limit $4
    for update skip locked
  ),
  gone as (
    delete from processing_jobs where id = any (array(select id from bite)) returning *
  ),
  kept as (
    insert into processing_history
      (completed_at, block_number, id, priority, created_at, started_at, worker_id, attempts, metadata, result)
    select completed_at, block_number, id, priority, created_at, started_at, worker_id, attempts, metadata, result
    from gone where $3
  ),
  folded as (
    update processing_coverage
    set blocks = blocks + (select range_agg(int8range(block_number, block_number + 1)) from gone)
    where exists (select from gone)
  )
  select count(*) as count from gone`;

export interface ArchiveOptions {
  olderThanMs: number;
  /** The newest completed jobs that stay; those beyond go whatever their age. */
  kept: number;
  /** Whether they are written to processing_history, whose days must be there (`prepareHistory`). */
  keepHistory: boolean;
  /** At most so many jobs. */
  limit: number;
}

// Outside a transaction, and without the lock on the coverage, while there is nothing to do.
const anyDue = `
  with ${beyond}
  select from processing_jobs where ${isDue} limit 1`;

/**
 * Folds completed jobs into processing_coverage and takes them out of processing_jobs, the oldest first:
 * those that are older than `olderThanMs`, and those beyond the newest `kept`. Returns how many. Claims
 * are never in its way: it locks completed jobs, and passes over locked ones.
 */
export async function archiveJobs(pool: pg.Pool, options: ArchiveOptions): Promise<number> {
  const { olderThanMs, kept, keepHistory, limit } = options;
  const due = await pool.query(anyDue, [olderThanMs, kept]);
  if (due.rows.length === 0) return 0;
  return inTransaction(pool, async (tx) => {
    // Before the statement that reads it, in a statement of its own: two archives at once would each add
    // to what they read before the other wrote.
    await tx.query("select from processing_coverage for update");
    const { rows } = await tx.query<{ count: number }>(fold, [olderThanMs, kept, keepHistory, limit]);
    return rows[0]?.count ?? 0;
  });
}
