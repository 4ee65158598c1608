import type { Sql } from "../db/pool.js";
import { claimedAt, type Token } from "./job.js";

const statement = `
  with settled as (
    update processing_jobs
    set status = case when $4 or attempts >= $5 then 'failed' else 'scheduled' end,
        run_at = case when $4 or attempts >= $5 then run_at else clock_timestamp() + $6 * interval '1 millisecond' end,
        last_error = $7
    where block_number = $11 and id = $1 and worker_id = $2 and claims = $3 and ${claimedAt} = $10
      and status = 'processing'
    returning id, block_number, attempts, status
  ),
  recorded as (
    insert into processing_failures (job_id, block_number, attempt, class, message, worker_id, endpoint)
    select id, block_number, attempts, case when $4 then 'fatal' when $9 then 'unlinked' else 'retry' end, $7, $2, $8
    from settled
  )
  select status from settled`;

export interface Failure {
  token: Token;
  /** What happened, redacted. */
  message: string;
  /** Trying again cannot help. */
  fatal: boolean;
  /** It contradicts a stored neighbour: one of the two is of another branch (doubts.ts). */
  unlinked?: boolean;
  maxAttempts: number;
  /** How long to wait before the next attempt. */
  delayMs: number;
  /** The endpoint that is to blame, by its name. */
  endpoint?: string | undefined;
}

/**
 * Fails one attempt: the job is scheduled again after `delayMs`, or failed when its attempts are used up
 * or the failure is fatal. Returns what it became; null: the token no longer holds, nothing was changed.
 */
export async function failJob(sql: Sql, failure: Failure): Promise<"scheduled" | "failed" | null> {
  const { token, fatal, unlinked = false, maxAttempts, delayMs, message, endpoint } = failure;
  const { rows } = await sql.query<{ status: "scheduled" | "failed" }>({
    name: "fail",
    text: statement,
    values: [
      token.id,
      token.workerId,
      token.claim,
      fatal,
      maxAttempts,
      delayMs,
      message,
      endpoint ?? null,
      unlinked,
      token.claimedAt,
      token.blockNumber,
    ],
  });
  return rows[0]?.status ?? null;
}

/**
 * Milliseconds to wait before the next attempt: random below an exponentially growing bound ("full
 * jitter"), so that jobs that failed together do not come back together.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(options: {
  attempts: number;
  baseMs: number;
  maxMs: number;
  random: number;
}): number {
  const { attempts, baseMs, maxMs, random } = options;
  return Math.round(random * Math.min(maxMs, baseMs * 2 ** Math.min(attempts - 1, 30)));
}
