import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";
import { openRange, type RangeRequest } from "./ranges.js";

/**
 * Continues an open range that asks for the same, or opens one. Returns its id, and whether it was there
 * already.
 */
export async function openOrContinueRange(
  sql: Sql,
  request: Required<Omit<RangeRequest, "byHead">>,
): Promise<{ id: number; continued: boolean }> {
  const { from, to, priority, force } = request;
  const { rows } = await sql.query<{ id: number }>(
    `select id from processing_ranges
     where enqueued_at is null and cancelled_at is null
       and from_block = $1 and to_block = $2 and priority = $3 and force = $4
     order by id limit 1`,
    [from, to, priority, force],
  );
  const id = rows[0]?.id;
  return id === undefined ? { id: await openRange(sql, request), continued: false } : { id, continued: true };
}

/** Where each block of a range is: the six add up to its length. */
export interface RangeProgress {
  /** Not jobs yet, and not stored already. */
  ahead: number;
  /** Pending or processing. */
  queued: number;
  /** Waiting for their next attempt. */
  scheduled: number;
  failed: number;
  cancelled: number;
  stored: number;
  /** The rest of the range was cancelled: what is ahead will not become jobs. */
  rangeCancelled: boolean;
}

// Nothing here reads the completed jobs behind next_block, which are many: what is neither queued, nor
// scheduled, nor failed, nor cancelled is stored. The jobs that are one of these have indexes of their
// own. What lies ahead of next_block and is stored already is counted, unless it is to run again.
const statement = `
  with range as (
    select from_block, to_block, next_block, force, cancelled_at from processing_ranges where id = $1
  ),
  behind as (
    select
      (select count(*) from processing_jobs
       where queued and block_number >= from_block and block_number < next_block) as queued,
      (select count(*) from processing_jobs
       where due_at is not null and block_number >= from_block and block_number < next_block) as scheduled,
      (select jsonb_object_agg(status, jobs) from (
         select status, count(*) as jobs from processing_jobs
         where not queued and completed_at is null and due_at is null
           and block_number >= from_block and block_number < next_block
         group by status
       ) as halted) as halted
    from range
  ),
  stored_ahead as (
    select (
      (select blocks from processing_coverage)
      + coalesce((
          select range_agg(int8range(block_number, block_number + 1)) from processing_jobs
          where status = ${statuses.completed} and block_number >= next_block and block_number <= to_block
        ), '{}')
    ) * int8multirange(int8range(next_block, to_block + 1)) as blocks
    from range where not force and next_block <= to_block
  )
  select
    to_block - from_block + 1 as blocks,
    to_block + 1 - next_block
      - (select coalesce(sum(upper(piece) - lower(piece)), 0)::bigint from stored_ahead, unnest(blocks) as piece)
      as ahead,
    queued, scheduled,
    coalesce((halted ->> 'failed')::bigint, 0) as failed,
    coalesce((halted ->> 'cancelled')::bigint, 0) as cancelled,
    cancelled_at is not null as range_cancelled
  from range, behind`;

interface Row {
  blocks: number;
  ahead: number;
  queued: number;
  scheduled: number;
  failed: number;
  cancelled: number;
  range_cancelled: boolean;
}

/** How far a range is. Throws when its row is gone. */
export async function readRangeProgress(sql: Sql, id: number): Promise<RangeProgress> {
  const { rows } = await sql.query<Row>({ name: "range_progress", text: statement, values: [id] });
  const row = rows[0];
  if (row === undefined) throw new Error(`the row ${id} of processing_ranges was deleted`);
  const { blocks, range_cancelled: rangeCancelled, ...rest } = row;
  const { ahead, queued, scheduled, failed, cancelled } = rest;
  return { ...rest, stored: blocks - ahead - queued - scheduled - failed - cancelled, rangeCancelled };
}

export interface HaltedJob {
  blockNumber: number;
  lastError: string | null;
}

/** The first failed jobs of these blocks, at most `limit`. */
export async function readFailedJobs(
  sql: Sql,
  { from, to, limit }: { from: number; to: number; limit: number },
): Promise<HaltedJob[]> {
  const { rows } = await sql.query<{ block_number: number; last_error: string | null }>(
    `select block_number, last_error from processing_jobs
     where not queued and completed_at is null and due_at is null
       and status = ${statuses.failed} and block_number between $1 and $2
     order by block_number limit $3`,
    [from, to, limit],
  );
  return rows.map((row) => ({ blockNumber: row.block_number, lastError: row.last_error }));
}
