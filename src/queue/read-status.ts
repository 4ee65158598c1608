// What `blockmill status` shows beside the depth: the head, the open ranges, who lives, and the latest
// failures. Every list is bounded.

import type { Sql } from "../db/pool.js";

export interface HeadStatus {
  chainId: number;
  headNumber: number;
  /** Seconds since the head's own timestamp, and since an endpoint told of it. */
  headAgeSeconds: number;
  seenAgeSeconds: number;
}

/** Null before an orchestrator saw a head. */
export async function readHeadStatus(sql: Sql): Promise<HeadStatus | null> {
  const { rows } = await sql.query<HeadStatus>(
    `select chain_id as "chainId", head_number as "headNumber",
       extract(epoch from clock_timestamp() - head_time)::float8 as "headAgeSeconds",
       extract(epoch from clock_timestamp() - seen_at)::float8 as "seenAgeSeconds"
     from processing_head`,
  );
  return rows[0] ?? null;
}

export interface OpenRange {
  id: number;
  from: number;
  to: number;
  /** The first block that is no job yet. */
  next: number;
  priority: number;
  force: boolean;
}

/** The open ranges in the order of their turn, at most `limit`, and how many there are. */
export async function readOpenRanges(
  sql: Sql,
  limit: number,
): Promise<{ total: number; ranges: OpenRange[] }> {
  const { rows } = await sql.query<OpenRange & { total: number }>(
    `select id, from_block as "from", to_block as "to", next_block as next, priority, force,
       count(*) over () as total
     from processing_ranges
     where enqueued_at is null and cancelled_at is null
     order by priority desc, id
     limit $1`,
    [limit],
  );
  return { total: rows[0]?.total ?? 0, ranges: rows.map(({ total, ...range }) => range) };
}

export interface LiveWorker {
  workerId: string;
  supervisorId: string;
  role: "supervisor" | "orchestrator" | "worker";
  hostname: string;
  pid: number;
  version: string;
  state: string;
  /** completed, failed, lost: counts since its start; memoryMb; blocks: those in hand; reason: why it waits. */
  doing: Record<string, unknown>;
  seenAgeSeconds: number;
  /** Whether its supervisor's session holds its lock: only that says who lives. */
  lives: boolean;
}

// pg_locks shows a lock on one bigint as its two halves, with objsubid 1:
// https://www.postgresql.org/docs/current/view-pg-locks.html
const workersStatement = `
  select worker_id as "workerId", supervisor_id as "supervisorId", role, hostname, pid, version, state,
    coalesce(doing, '{}') as doing,
    extract(epoch from clock_timestamp() - seen_at)::float8 as "seenAgeSeconds",
    exists (
      select from pg_locks, hashtextextended(supervisor_id, 0) as key
      where locktype = 'advisory' and granted and objsubid = 1
        and database = (select oid from pg_database where datname = current_database())
        and classid = ((key >> 32) & 4294967295)::oid and objid = (key & 4294967295)::oid
    ) as lives
  from processing_workers
  order by supervisor_id, role = 'worker', role = 'orchestrator', length(worker_id), worker_id
  limit $1`;

/** Who lives, and who is not yet swept away: each supervisor, its orchestrator, its workers. */
export async function readWorkers(sql: Sql, limit: number): Promise<LiveWorker[]> {
  const { rows } = await sql.query<LiveWorker>(workersStatement, [limit]);
  return rows;
}

export interface LatestFailure {
  blockNumber: number;
  attempt: number;
  class: string;
  message: string;
  endpoint: string | null;
  ageSeconds: number;
}

/** The latest failed attempts, the newest first. */
export async function readLatestFailures(sql: Sql, limit: number): Promise<LatestFailure[]> {
  const { rows } = await sql.query<LatestFailure>(
    `select block_number as "blockNumber", attempt, class, message, endpoint,
       extract(epoch from clock_timestamp() - failed_at)::float8 as "ageSeconds"
     from processing_failures order by id desc limit $1`,
    [limit],
  );
  return rows;
}
