import type { Sql } from "../db/pool.js";
import { listOf, statuses } from "./job-status.js";

/** A job near the head that was tried and whose block is not stored. */
export interface FailingHead {
  blockNumber: number;
  /** Why, the last time. */
  reason: string;
}

/** So far below the head it is looked for them. */
const depth = 100;

// By the primary key. What a node only lacks yet is no failure; that it serves what does not prove the block is one, though
// nobody counts it above finality.
const statement = `
  with head as (select head_number as number from processing_head),
  stored as (
    select greatest(
      (select max(block_number) from processing_jobs
       where block_number between head.number - ${depth} and head.number and status = ${statuses.completed}),
      (select upper(blocks * int8multirange(int8range(0, head.number, '[]'))) - 1 from processing_coverage)
    ) as newest
    from head
  )
  select block_number::float8 as "blockNumber", last_error as reason
  from processing_jobs, head, stored
  where block_number between greatest(head.number - ${depth}, coalesce(stored.newest + 1, 0)) and head.number
    and status not in ${listOf(["completed", "cancelled"])}
    and last_error is not null and (absences = 0 or last_error like '%is not proven%')
  order by block_number desc limit ${depth}`;

/** The blocks above the newest stored one that failed, the highest first. */
export async function readFailingHeads(sql: Sql): Promise<FailingHead[]> {
  return (await sql.query<FailingHead>(statement)).rows;
}
