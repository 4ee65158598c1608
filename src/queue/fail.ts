import { namedParameters } from "../db/named-parameters.js";
import type { Sql } from "../db/pool.js";
import { claimedAt, type Token } from "./job.js";
import { statuses } from "./job-status.js";

const fail = namedParameters<{
  id: number;
  block: number;
  worker: string;
  claim: number;
  claimed_at: number;
  fatal: boolean;
  class: string;
  max_attempts: number;
  delay_ms: number;
  message: string;
  endpoint: string | null;
}>(
  `
  with settled as (
    update processing_jobs
    set status = case when :fatal or attempts >= :max_attempts then ${statuses.failed} else ${statuses.scheduled} end,
        run_at = case when :fatal or attempts >= :max_attempts then run_at
                 else clock_timestamp() + :delay_ms * interval '1 millisecond' end,
        losses = 0, last_error = :message
    where block_number = :block and id = :id and worker_id = :worker and claims = :claim
      and ${claimedAt} = :claimed_at and status = ${statuses.processing}
    returning id, block_number, attempts, status
  ),
  recorded as (
    insert into processing_failures (job_id, block_number, attempt, class, message, worker_id, endpoint)
    select id, block_number, attempts, :class,
      :message, :worker, :endpoint
    from settled
  )
  select status from settled`,
  "fail",
);

export interface Failure {
  token: Token;
  /** What happened, redacted. */
  message: string;
  /** Trying again cannot help. */
  fatal: boolean;
  /**
   * What else it means: `unlinked`, it contradicts a stored neighbour, and one of the two is of another branch
   * (doubts.ts); `unproven`, what the endpoint sent contradicts itself.
   */
  meaning?: "unlinked" | "unproven" | undefined;
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
  const { token, fatal, meaning = "retry", maxAttempts, delayMs, message, endpoint } = failure;
  const { rows } = await sql.query<{ status: "scheduled" | "failed" }>(
    fail({
      id: token.id,
      block: token.blockNumber,
      worker: token.workerId,
      claim: token.claim,
      claimed_at: token.claimedAt,
      fatal,
      class: fatal ? "fatal" : meaning,
      max_attempts: maxAttempts,
      delay_ms: delayMs,
      message,
      endpoint: endpoint ?? null,
    }),
  );
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
