import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

/** What was asked for and is not stored, whether it was tried or not. */
export interface Missing {
  /** Blocks up to the head: jobs that are open or failed, what ranges still hold, and heads that are no jobs yet. */
  behind: number;
  /** There are at least so many. */
  atLeast: boolean;
  /** Jobs that wait for their block to be there, and the lowest of their blocks; of no more than 100,000 scheduled ones. */
  waiting: number;
  firstWaiting: number | null;
}

const most = 100_000;

// Each list walks a partial index of its own, as in read-depth.ts.
const statement = `
  with chain as (select head_number as head, next_block from processing_head),
  queued as (
    select block_number from processing_jobs where queued order by priority desc, block_number limit $1
  ),
  due as (
    select block_number, absences from processing_jobs where due_at is not null limit $1
  ),
  halted as (
    select block_number, status from processing_jobs
    where not queued and completed_at is null and due_at is null limit $1
  ),
  ahead as (
    select int8multirange(int8range(next_block, least(to_block, (select head from chain)) + 1))
      - coalesce((select blocks from processing_coverage), '{}') as blocks
    from processing_ranges
    where enqueued_at is null and cancelled_at is null and next_block <= (select head from chain)
  )
  select
    (select count(*) from queued where block_number <= head)
      + (select count(*) from due where block_number <= head)
      + (select count(*) from halted where status = ${statuses.failed} and block_number <= head)
      + (select coalesce(sum(upper(piece) - lower(piece)), 0)::bigint from ahead, unnest(blocks) as piece)
      + greatest(coalesce(head + 1 - next_block, 0), 0) as behind,
    (select count(*) from queued) >= $1 or (select count(*) from due) >= $1
      or (select count(*) from halted) >= $1 as at_least,
    (select count(*) from due where absences > 0) as waiting,
    (select min(block_number) from due where absences > 0) as first_waiting
  from (select) as one left join chain on true`;

interface Row {
  behind: number | null;
  at_least: boolean;
  waiting: number;
  first_waiting: number | null;
}

/** Counted up to a bound, so that it is cheap at any size of the queue. `behind` is 0 before a head was seen. */
export async function readMissing(sql: Sql): Promise<Missing> {
  const { rows } = await sql.query<Row>(statement, [most]);
  const row = rows[0];
  if (row === undefined) throw new Error("a select without from returned no row");
  return {
    behind: Number(row.behind ?? 0),
    atLeast: row.at_least,
    waiting: Number(row.waiting),
    firstWaiting: row.first_waiting === null ? null : Number(row.first_waiting),
  };
}
