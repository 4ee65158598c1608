import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

// A row that is locked belongs to a settlement that is about to commit or to be rolled back: it is
// passed over, and looked at again.
const releaseWhere = (condition: string) => `
  with lost as materialized (
    select block_number from processing_jobs
    where queued and status = ${statuses.processing} and ${condition}
    for update skip locked
  ),
  released as (
    update processing_jobs
    set deaths = deaths + 1,
        status = case when deaths + 1 >= $2 then ${statuses.failed} else ${statuses.pending} end,
        last_error = $3
    where block_number = any (array(select block_number from lost))
    returning id, block_number, attempts, worker_id, status
  ),
  recorded as (
    insert into processing_failures (job_id, block_number, attempt, class, message, worker_id)
    select id, block_number, attempts, 'died', $3, worker_id from released
  )
  select id, block_number, worker_id, status from released`;

const ofWorker = releaseWhere("worker_id = $1");
const ofSupervisor = releaseWhere("starts_with(worker_id, $1 || '/')");
const ofOverdue = releaseWhere("started_at < clock_timestamp() - $1 * interval '1 millisecond'");

export interface ReleasedJob {
  id: number;
  blockNumber: number;
  workerId: string;
  /** `failed` when too many workers died with it. */
  status: "pending" | "failed";
}

export interface ReleaseOptions {
  /** So many workers may die with a job; then it is failed. */
  maxDeaths: number;
  /** For last_error and processing_failures. */
  reason: string;
}

interface Row {
  id: number;
  block_number: number;
  worker_id: string;
  status: "pending" | "failed";
}

async function release(
  sql: Sql,
  text: string,
  subject: string | number,
  options: ReleaseOptions,
): Promise<ReleasedJob[]> {
  const { rows } = await sql.query<Row>(text, [subject, options.maxDeaths, options.reason]);
  return rows.map((row) => ({
    id: row.id,
    blockNumber: row.block_number,
    workerId: row.worker_id,
    status: row.status,
  }));
}

/** Takes the claims of a dead worker from it. The attempt and the death count. */
export function releaseWorker(sql: Sql, workerId: string, options: ReleaseOptions): Promise<ReleasedJob[]> {
  return release(sql, ofWorker, workerId, options);
}

/** Takes the claims of every worker of a lost supervisor from them. */
export function releaseSupervisor(
  sql: Sql,
  supervisorId: string,
  options: ReleaseOptions,
): Promise<ReleasedJob[]> {
  return release(sql, ofSupervisor, supervisorId, options);
}

/** Takes every claim that is older than `timeoutMs` from its worker. */
export function releaseOverdue(sql: Sql, timeoutMs: number, options: ReleaseOptions): Promise<ReleasedJob[]> {
  return release(sql, ofOverdue, timeoutMs, options);
}

/**
 * Ends the sessions that a process, or with `SUPERVISOR/` all children of a supervisor, still have in this
 * database, so that no transaction of theirs holds a lock or commits any longer. Returns how many there
 * were: they end a moment later.
 */
export async function endSessions(sql: Sql, id: string): Promise<number> {
  const { rows } = await sql.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
       and starts_with(application_name, $1)
       and (right($1, 1) = '/' or substr(application_name, length($1) + 1, 1) in ('', ' '))`,
    [`blockmill ${id}`],
  );
  return rows.length;
}
