import type { BlockSpan } from "../block.js";
import type { Sql } from "../db/pool.js";
import { saysAbsent } from "./absent.js";
import { type JobResult, readResult } from "./job-result.js";
import { isParked, type JobStatus, statuses } from "./job-status.js";
import { pausedBySql } from "./pause.js";

/** What the queue knows of a block. Times are in seconds from now; past ones count up. */
export interface QueueBlock {
  job: QueueJob | null;
  isCovered: boolean;
  /** The chain has no block at this number, as its archived job said. That of a job that is not archived is in its result. */
  isAbsent: boolean;
  /** Of its archived job, as long as the history is kept. */
  history: {
    completedAt: Date;
    claimedForMs: number | null;
    worker: string | null;
    result: Partial<JobResult> | null;
  } | null;
  head: number | null;
  /** Whether new blocks of the head are enqueued by themselves. */
  follows: boolean;
  /** The open range that will make a job of it, and how many blocks it has before this one. */
  range: { id: number; next: number; before: number; priority: number } | null;
  pause: { seconds: number; reason: string | null; by: string | null } | null;
  /** The last failed attempt. */
  failure: { class: string; message: string; endpoint: string | null; secondsAgo: number } | null;
}

export interface QueueJob {
  status: JobStatus;
  priority: number;
  attempts: number;
  deaths: number;
  absences: number;
  isParked: boolean;
  isSuspended: boolean;
  /** Until run_at; null: it is infinite. */
  dueInSeconds: number | null;
  /** Since it was inserted or became due. */
  waitsSeconds: number | null;
  claimedSeconds: number | null;
  worker: string | null;
  lastError: string | null;
  completedAt: Date | null;
  claimedForMs: number | null;
  result: Partial<JobResult> | null;
}

const finite = (time: string): string => `case when isfinite(${time}) then ${time} end`;

const statement = `
  select
    (select row_to_json(one) from (
       select status, priority, attempts, deaths, absences, (${isParked}) as "isParked", suspended as "isSuspended",
         extract(epoch from ${finite("run_at")} - clock_timestamp())::float8 as "dueInSeconds",
         extract(epoch from clock_timestamp() - ${finite("greatest(created_at, run_at)")})::float8 as "waitsSeconds",
         extract(epoch from clock_timestamp() - ${finite("started_at")})::float8 as "claimedSeconds",
         worker_id as worker, last_error as "lastError", ${finite("completed_at")} as "completedAt",
         extract(epoch from ${finite("completed_at")} - ${finite("started_at")})::float8 * 1000 as "claimedForMs", result
       from processing_jobs where block_number = $1
     ) as one) as job,
    (select blocks @> $1::bigint from processing_coverage) as "isCovered",
    (select absent @> $1::bigint from processing_coverage) as "isAbsent",
    (select row_to_json(one) from (
       select ${finite("completed_at")} as "completedAt", worker_id as worker, result,
         extract(epoch from ${finite("completed_at")} - ${finite("started_at")})::float8 * 1000 as "claimedForMs"
       from processing_history where block_number = $1 order by completed_at desc limit 1
     ) as one) as history,
    (select head_number from processing_head) as head,
    coalesce((select next_block is not null from processing_head), false) as follows,
    (select row_to_json(one) from (
       select id, next_block as next, $1 - next_block as before, priority from processing_ranges
       where enqueued_at is null and cancelled_at is null and next_block <= $1 and to_block >= $1
       order by priority desc, id limit 1
     ) as one) as range,
    (select row_to_json(one) from (
       select extract(epoch from clock_timestamp() - paused_at)::float8 as seconds, reason, ${pausedBySql} as by
       from processing_control where paused_at is not null
     ) as one) as pause,
    (select row_to_json(one) from (
       select class, message, endpoint, extract(epoch from clock_timestamp() - failed_at)::float8 as "secondsAgo"
       from processing_failures where block_number = $1 order by id desc limit 1
     ) as one) as failure`;

/** What the queue knows of a block: one statement, each part of which finds its row by an index. */
export async function readQueueBlock(sql: Sql, block: number): Promise<QueueBlock> {
  const { rows } = await sql.query<QueueBlock>(statement, [block]);
  const [row] = rows;
  if (row === undefined) throw new Error("a select without from returned no row");
  return { ...row, job: row.job && readTimes(row.job), history: row.history && readTimes(row.history) };
}

// JSON has times as text.
function readTimes<T extends { completedAt: Date | null; result: unknown }>(row: T): T {
  const { completedAt, result } = row;
  return {
    ...row,
    completedAt: completedAt === null ? null : new Date(completedAt),
    result: readResult(result),
  };
}

/** In which state a block is, as far as it can be told of many at once. */
export type BlockKind =
  | JobStatus
  | "archived"
  | "range"
  | "beyond"
  | "unknown"
  | "parked"
  | "suspended"
  | "not there yet"
  | "absent";

export interface BlockRun extends BlockSpan {
  kind: BlockKind;
}

const runs = `
  with head as (select max(head_number) as number from processing_head),
  covered as (
    select blocks * asked as blocks, absent * asked as absent
    from processing_coverage, (select int8multirange(int8range($1::bigint, $2::bigint, '[]')) as asked) as span
  ),
  kinds as (
    select block, case
        when status = ${statuses.scheduled} and suspended then 'suspended'
        when ${isParked} then 'parked'
        when status = ${statuses.scheduled} and absences > 0 then 'not there yet'
        when status = ${statuses.completed} and ${saysAbsent} then 'absent'
        when status is not null then status
        when covered.absent @> block then 'absent'
        when covered.blocks @> block then 'archived'
        when exists (
          select from processing_ranges
          where enqueued_at is null and cancelled_at is null and block between next_block and to_block
        ) then 'range'
        when block > head.number then 'beyond'
        else 'unknown'
      end as kind
    from generate_series($1::bigint, $2::bigint) as block
    left join processing_jobs on block_number = block
    cross join head cross join covered
  ),
  steps as (
    select block, kind, block - row_number() over (partition by kind order by block) as step from kinds
  )
  select min(block) as "from", max(block) as "to", kind from steps group by kind, step order by 1 limit $3`;

/** The blocks of a span, in runs of one kind, in order; at most `limit` runs. It reads each block's job. */
export async function readBlockRuns(
  sql: Sql,
  { from, to, limit }: BlockSpan & { limit: number },
): Promise<BlockRun[]> {
  const { rows } = await sql.query<BlockRun>(runs, [from, to, limit]);
  return rows.map((row) => ({ ...row, from: Number(row.from), to: Number(row.to) }));
}

const mostAhead = 100_000;

/** How many jobs will be claimed before this pending one, up to a bound. */
export async function countAhead(
  sql: Sql,
  { block, priority }: { block: number; priority: number },
): Promise<{ count: number; atLeast: boolean }> {
  const { rows } = await sql.query<{ count: number }>(
    `select count(*)::int as count from (
       select from processing_jobs
       where queued and status = ${statuses.pending} and (priority > $2 or (priority = $2 and block_number < $1))
       order by priority desc, block_number limit ${mostAhead}
     ) as ahead`,
    [block, priority],
  );
  const count = rows[0]?.count ?? 0;
  return { count, atLeast: count >= mostAhead };
}
