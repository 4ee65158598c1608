import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

const isBlamed = "block_number = any (array(select block_number from blamed))";
const isDoomed = "block_number = any (array(select block_number from blamed where doomed))";

interface Rules {
  /** Which of the jobs the death counts for; the others lose no attempt. */
  blame: string;
  /** Which of the jobs are failed now, however few deaths they saw, and the reason. */
  doom?: { if: string; reason: string };
  /** Whether the others may have been the cause all the same. */
  suspect?: string;
  /** What becomes of the attempts of a job that is blamed. */
  attempts: string;
  /** For which of them the reason is written down. */
  told: string;
}

// A row that is locked belongs to a settlement that is about to commit or to be rolled back: it is
// passed over, and looked at again.
const releaseWhere = (
  condition: string,
  { blame, doom = { if: "false", reason: "$3" }, suspect = "false", attempts, told }: Rules,
) => `
  with lost as materialized (
    select block_number, losses from processing_jobs
    where queued and status = ${statuses.processing} and ${condition}
    for update skip locked
  ),
  blamed as materialized (
    select block_number, ${doom.if} as doomed from lost where ${blame} or ${doom.if}
  ),
  released as (
    update processing_jobs
    set deaths = least(deaths, 2147483646) + case when ${isBlamed} then 1 else 0 end,
        losses = least(losses, 2147483646) + case when ${suspect} then 1 else 0 end,
        attempts = case when ${isBlamed} then ${attempts} else greatest(attempts - 1, 0) end,
        status = case when ${isBlamed} and deaths >= $2 - 1 or ${isDoomed} then ${statuses.failed} else ${statuses.pending} end,
        last_error = case when ${isDoomed} then ${doom.reason} when ${told} then $3 else last_error end
    where block_number = any (array(select block_number from lost))
    returning id, block_number, attempts, worker_id, status, ${isBlamed} as blamed, ${isDoomed} as doomed
  ),
  recorded as (
    insert into processing_failures (job_id, block_number, attempt, class, message, worker_id)
    select id, block_number, attempts, case when blamed then 'died' else 'lost' end,
      case when doomed then ${doom.reason} else $3 end, worker_id
    from released where ${told}
  )
  select id, block_number, worker_id, status, blamed from released`;

// Nobody knows what a worker died of that was killed while it computed nothing. What was in hand at that is suspected;
// a job that was so too often is failed.
const ofWorker = releaseWhere("worker_id = $1", {
  blame: "$4::bigint[] is null or block_number = any ($4)",
  doom: { if: "($5 and losses >= $6 - 1)", reason: "$7" },
  suspect: "$5",
  attempts: "attempts",
  told: isBlamed,
});

/** A job that is lost again within so long was lost twice. */
const lostAgainWithin = "1 hour";

// A host's loss is no block's fault, and costs no attempt; what was lost before as well may have been its cause.
const ofSupervisor = releaseWhere("starts_with(worker_id, $1 || '/')", {
  blame: `exists (
      select from processing_failures as failure
      where failure.block_number = lost.block_number and failure.class in ('lost', 'died')
        and failure.failed_at > clock_timestamp() - interval '${lostAgainWithin}'
    )`,
  attempts: "greatest(attempts - 1, 0)",
  told: "true",
});

const timeout = "$1 * interval '1 millisecond'";
// Nor can a claim be of a time to come, or of infinity: somebody wrote that.
const isOverdue = `started_at not between clock_timestamp() - ${timeout} and clock_timestamp() + ${timeout}`;

const ofOverdue = releaseWhere(isOverdue, {
  blame: "true",
  attempts: "attempts",
  told: "true",
});

export interface ReleasedJob {
  id: number;
  blockNumber: number;
  workerId: string;
  /** `failed` when too many workers died with it. */
  status: "pending" | "failed";
  /** Whether the death counts for it. */
  blamed: boolean;
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
  blamed: boolean;
}

async function release(
  sql: Sql,
  text: string,
  subject: string | number,
  { maxDeaths, reason }: ReleaseOptions,
  more: readonly unknown[] = [],
): Promise<ReleasedJob[]> {
  const { rows } = await sql.query<Row>(text, [subject, maxDeaths, reason, ...more]);
  return rows.map((row) => ({
    id: row.id,
    blockNumber: row.block_number,
    workerId: row.worker_id,
    status: row.status,
    blamed: row.blamed,
  }));
}

/** Which jobs a worker's death counts for: these; all that it held; none; or nobody knows, and all are suspected. */
export type Blame = readonly number[] | "all" | "none" | "suspects";

/** A job is failed that was in hand at so many deaths that nobody knows the cause of, or five times `maxDeaths`. */
export const leastLosses = 16;

/**
 * Takes the claims of a dead worker from it. For the blocks that are blamed, all unless stated, the attempt and the
 * death count; the others go back unharmed. Suspects lose no attempt, but each loss is counted: after the third a job is
 * claimed alone, and after many more it is failed.
 */
export function releaseWorker(
  sql: Sql,
  workerId: string,
  { blamed = "all", ...options }: ReleaseOptions & { blamed?: Blame },
): Promise<ReleasedJob[]> {
  const blocks = blamed === "all" ? null : typeof blamed === "string" ? [] : blamed;
  const mostLosses = Math.max(leastLosses, 5 * options.maxDeaths);
  const reason = `${mostLosses} workers died while they held this block and computed nothing. Out of memory? blockmill retry runs it again`;
  return release(sql, ofWorker, workerId, options, [blocks, blamed === "suspects", mostLosses, reason]);
}

/**
 * Takes the claims of every worker of a lost supervisor from them. No attempt counts; a death counts for the jobs
 * that were lost with a worker or a host before.
 */
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

const sessionsOf = `
  from pg_stat_activity
  where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
    and starts_with(application_name, $1)
    and (right($1, 1) = '/' or substr(application_name, length($1) + 1, 1) in ('', ' '))`;

/** How many sessions a process, or with `SUPERVISOR/` all children of a supervisor, have in this database. */
export async function countSessions(sql: Sql, id: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(`select count(*) as count ${sessionsOf}`, [
    `blockmill ${id}`,
  ]);
  return rows[0]?.count ?? 0;
}

/**
 * Ends the sessions that a process, or with `SUPERVISOR/` all children of a supervisor, still have in this
 * database, so that no transaction of theirs holds a lock or commits any longer. Returns how many there
 * were: they end a moment later.
 */
export async function endSessions(sql: Sql, id: string): Promise<number> {
  const { rows } = await sql.query(`select pg_terminate_backend(pid) ${sessionsOf}`, [`blockmill ${id}`]);
  return rows.length;
}
