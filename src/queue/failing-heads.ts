import { listOf, statuses } from "./job-status.js";

/** A block near the head that was tried and is not stored. */
export interface FailingHead {
  block: number;
  /** Why, the last time. */
  error: string;
}

/** So far below the head it is looked for them. */
const depth = 100;

// What a node only lacks yet is no failure; that it serves what does not prove the block is one, though nobody counts it
// above finality.
/** For a statement that reads more: the blocks above the newest stored one that failed, the highest first. By number. */
export const failingHeadsSql = `
  with head as (select head_number as number from processing_head),
  stored as (
    select greatest(
      (select max(block_number) from processing_jobs
       where block_number between head.number - ${depth} and head.number and status = ${statuses.completed}),
      (select upper(blocks * int8multirange(int8range(0, head.number, '[]'))) - 1 from processing_coverage)
    ) as newest
    from head
  )
  select block_number as block, last_error as error
  from processing_jobs, head, stored
  where block_number between greatest(head.number - ${depth}, coalesce(stored.newest + 1, 0)) and head.number
    and status not in ${listOf(["completed", "cancelled"])}
    and last_error is not null and (absences = 0 or last_error like '%is not proven%')
  order by block_number desc limit ${depth}`;
