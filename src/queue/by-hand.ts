import type { BlockSpan } from "../block.js";
import type { Sql } from "../db/pool.js";
import { listOf, openStatuses, statuses } from "./job-status.js";

// As the index processing_jobs_halted says it.
const halted = "not queued and completed_at is null and due_at is null";
const failedOrCancelled = `(${statuses.failed}, ${statuses.cancelled})`;

/** Runs failed and cancelled jobs of these blocks again, or only the failed ones, with fresh attempts. Returns how many. */
export async function retryJobs(
  sql: Sql,
  { from, to }: BlockSpan,
  { cancelled = true }: { cancelled?: boolean } = {},
): Promise<number> {
  const { rowCount } = await sql.query(
    `update processing_jobs
     set status = ${statuses.pending}, attempts = 0, deaths = 0, losses = 0, absences = 0, run_at = now(), suspended = false,
       completed_at = null
     where block_number = any (array(
       select block_number from processing_jobs
       where block_number between $1 and $2 and status in ${cancelled ? failedOrCancelled : `(${statuses.failed})`}
         and ${halted}
       order by block_number for update
     ))`,
    [from, to],
  );
  return rowCount ?? 0;
}

/** Deletes the failed and cancelled jobs of these blocks. What is stored stays. Returns how many. */
export async function forgetHalted(sql: Sql, { from, to }: BlockSpan): Promise<number> {
  const { rowCount } = await sql.query(
    `delete from processing_jobs
     where block_number = any (array(
       select block_number from processing_jobs
       where block_number between $1 and $2 and status in ${failedOrCancelled} and ${halted}
       order by block_number for update
     ))`,
    [from, to],
  );
  return rowCount ?? 0;
}

/** Jobs that one statement of a cancel looks at: its locks are held for a second at most. */
const cancelledAtOnce = 20_000;

/**
 * Cancels the jobs of these blocks that are not finished, and what open ranges still have to enqueue of
 * them: a range that reaches beyond them goes on as new ranges for its rest. A job that is being
 * processed loses its claim: what its worker fetched is not stored. The ranges go first, so that they enqueue nothing
 * more; then jobs go in bites, each in a transaction of its own. What was cancelled stays so when a later one fails.
 */
export async function cancelJobs(
  sql: Sql,
  { from, to, atOnce = cancelledAtOnce }: BlockSpan & { atOnce?: number },
): Promise<{ jobs: number; ranges: number }> {
  const ranges = await cancelRanges(sql, { from, to });
  let jobs = 0;
  for (let next = from; next <= to; ) {
    const last = await endOfBite(sql, { from: next, to, atOnce });
    jobs += await cancelBite(sql, { from: next, to: last });
    next = last + 1;
  }
  return { jobs, ranges };
}

/** The block of the last job of so many from here on; the last block where there are fewer. */
async function endOfBite(sql: Sql, { from, to, atOnce }: BlockSpan & { atOnce: number }): Promise<number> {
  const { rows } = await sql.query<{ last: number }>(
    `select block_number as last from processing_jobs
     where block_number between $1 and $2 order by block_number offset $3 limit 1`,
    [from, to, atOnce - 1],
  );
  return Number(rows[0]?.last ?? to);
}

async function cancelBite(sql: Sql, { from, to }: BlockSpan): Promise<number> {
  const { rowCount } = await sql.query(
    `update processing_jobs set status = ${statuses.cancelled}
     where block_number = any (array(
       select block_number from processing_jobs
       where block_number between $1 and $2 and status in ${listOf(openStatuses)}
       order by block_number for update
     ))`,
    [from, to],
  );
  return rowCount ?? 0;
}

async function cancelRanges(sql: Sql, { from, to }: BlockSpan): Promise<number> {
  const { rows } = await sql.query<{ ranges: number }>(
    `with ranges as (
       update processing_ranges set cancelled_at = clock_timestamp()
       where id = any (array(
         select id from processing_ranges
         where enqueued_at is null and cancelled_at is null and next_block <= $2::bigint and to_block >= $1::bigint
         order by id for update
       ))
       returning next_block, to_block, priority, force, by_head
     ),
     rest as (
       insert into processing_ranges (from_block, to_block, next_block, priority, force, by_head)
       select part.first, part.last, part.first, priority, force, by_head
       from ranges, lateral (values (next_block, $1::bigint - 1), ($2::bigint + 1, to_block)) as part (first, last)
       where part.first <= part.last
     )
     select count(*) as ranges from ranges`,
    [from, to],
  );
  return Number(rows[0]?.ranges ?? 0);
}
