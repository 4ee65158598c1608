import type pg from "pg";
import { inTransaction } from "../db/pool.js";

const fold = `
  with bite as materialized (
    select id from processing_jobs
    where completed_at <= clock_timestamp() - $1 * interval '1 millisecond' and status = 'completed'
    order by completed_at
    limit $2
    for update skip locked
  ),
  gone as (
    delete from processing_jobs where id = any (array(select id from bite)) returning block_number
  ),
  folded as (
    update processing_coverage
    set blocks = blocks + (select range_agg(int8range(block_number, block_number + 1)) from gone)
    where exists (select from gone)
  )
  select count(*) as count from gone`;

/**
 * Folds completed jobs that are older than `olderThanMs` into processing_coverage and deletes them, at
 * most `limit`, the oldest first. Returns how many. Claims are never in its way: it locks completed
 * jobs and passes over locked ones.
 */
export async function archiveJobs(
  pool: pg.Pool,
  { olderThanMs, limit }: { olderThanMs: number; limit: number },
): Promise<number> {
  return inTransaction(pool, async (tx) => {
    // Before the statement that reads it, in a statement of its own: two archives at once would each add
    // to what they read before the other wrote.
    await tx.query("select from processing_coverage for update");
    const { rows } = await tx.query<{ count: number }>(fold, [olderThanMs, limit]);
    return rows[0]?.count ?? 0;
  });
}
