import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

/** How far the chain was followed, and what was asked for below that. */
export interface Progress {
  /** Times in seconds since 1970; null: no head was seen. */
  head: { number: number; timestamp: number; seenAt: number } | null;
  finalizedBlock: number | null;
  /**
   * The lowest block that was asked for and is not stored, up to the head; null: none is missing. It may be lower than
   * that where the blocks that a range begins with are stored already.
   */
  lowestMissing: number | null;
  /** How long the longest of the next 1,000 jobs to be claimed has been due; 0: none waits. */
  oldestPendingSeconds: number;
}

/** More priorities than anybody uses; more rows of the other kinds than anybody leaves lying. */
const most = { priorities: 100, others: 10_000 };

// Each part walks a partial index of its own, and a few rows of it at any size of the queue: the claim index from
// priority to priority, the others up to a bound. Times as numbers, which know infinity.
const statement = `
  with recursive chain as (select * from processing_head),
  first as (
    (select priority, block_number from processing_jobs where queued order by priority desc, block_number limit 1)
    union all
    select next.priority, next.block_number
    from first cross join lateral (
      select priority, block_number from processing_jobs
      where queued and priority < first.priority order by priority desc, block_number limit 1
    ) as next
  ),
  next as (
    select extract(epoch from greatest(created_at, run_at)) as due from (
      select status, created_at, run_at from processing_jobs
      where queued order by priority desc, block_number limit ${most.others}
    ) as queued
    where status = ${statuses.pending} limit 1000
  ),
  halted as (
    select block_number, status from processing_jobs
    where not queued and completed_at is null and due_at is null order by block_number limit ${most.others}
  ),
  missing as (
    select block_number from (select block_number from first limit ${most.priorities}) as queued
    union all
    select block_number from (
      select block_number from processing_jobs where due_at is not null order by due_at limit ${most.others}
    ) as scheduled
    union all
    (select block_number from halted where status = ${statuses.failed} limit 1)
    union all
    select next_block from (
      select next_block from processing_ranges
      where enqueued_at is null and cancelled_at is null order by priority desc, id limit ${most.others}
    ) as open
    union all
    select next_block from chain where next_block <= head_number
  )
  select
    (select head_number from chain) as head_number,
    (select extract(epoch from head_time)::float8 from chain) as head_time,
    (select extract(epoch from seen_at)::float8 from chain) as seen_at,
    (select finalized_block from chain) as finalized_block,
    (select min(block_number) from missing
     where block_number <= coalesce((select head_number from chain), 9007199254740991)) as lowest_missing,
    (select greatest(0, coalesce(max(extract(epoch from clock_timestamp()) - due) filter (where abs(due) < 'infinity'), 0))::float8
     from next) as oldest_pending`;

interface Row {
  head_number: number | null;
  head_time: number | null;
  seen_at: number | null;
  finalized_block: number | null;
  lowest_missing: number | null;
  oldest_pending: number;
}

/** Cheap at any size of the queue. */
export async function readProgress(sql: Sql): Promise<Progress> {
  const { rows } = await sql.query<Row>({ name: "progress", text: statement, values: [] });
  const row = rows[0];
  if (row === undefined) throw new Error("a select without from returned no row");
  const { head_number: number, head_time: timestamp, seen_at: seenAt } = row;
  return {
    head: number === null || timestamp === null || seenAt === null ? null : { number, timestamp, seenAt },
    finalizedBlock: row.finalized_block,
    lowestMissing: row.lowest_missing,
    oldestPendingSeconds: row.oldest_pending,
  };
}
