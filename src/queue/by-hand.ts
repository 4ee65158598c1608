import type { BlockSpan } from "../block.js";
import type { Sql } from "../db/pool.js";
import { listOf, openStatuses, statuses } from "./job-status.js";

/** Runs failed and cancelled jobs of these blocks again, with fresh attempts. Returns how many. */
export async function retryJobs(sql: Sql, { from, to }: BlockSpan): Promise<number> {
  const { rows } = await sql.query(
    `update processing_jobs
     set status = ${statuses.pending}, attempts = 0, deaths = 0, absences = 0, run_at = now(), suspended = false, completed_at = null
     where block_number between $1 and $2 and status in (${statuses.failed}, ${statuses.cancelled})
       and not queued and completed_at is null and due_at is null
     returning 1`,
    [from, to],
  );
  return rows.length;
}

/**
 * Cancels the jobs of these blocks that are not finished, and what open ranges still have to enqueue of
 * them: a range that reaches beyond them goes on as new ranges for its rest. A job that is being
 * processed loses its claim: what its worker fetched is not stored.
 */
export async function cancelJobs(
  sql: Sql,
  { from, to }: BlockSpan,
): Promise<{ jobs: number; ranges: number }> {
  const { rows } = await sql.query<{ jobs: number; ranges: number }>(
    `with jobs as (
       update processing_jobs set status = ${statuses.cancelled}
       where block_number between $1::bigint and $2::bigint and status in ${listOf(openStatuses)}
       returning 1
     ),
     ranges as (
       update processing_ranges set cancelled_at = clock_timestamp()
       where enqueued_at is null and cancelled_at is null and next_block <= $2 and to_block >= $1
       returning next_block, to_block, priority, force, by_head
     ),
     rest as (
       insert into processing_ranges (from_block, to_block, next_block, priority, force, by_head)
       select part.first, part.last, part.first, priority, force, by_head
       from ranges, lateral (values (next_block, $1::bigint - 1), ($2::bigint + 1, to_block)) as part (first, last)
       where part.first <= part.last
     )
     select (select count(*) from jobs) as jobs, (select count(*) from ranges) as ranges`,
    [from, to],
  );
  return rows[0] ?? { jobs: 0, ranges: 0 };
}
