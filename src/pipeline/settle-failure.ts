// What becomes of a job whose block could not be had, proven or stored.

import type pg from "pg";
import { blamed } from "../chain/endpoints.js";
import { mayBeReceipts } from "../chain/fetch-proven-block.js";
import { VerificationError } from "../chain/verify/verification-error.js";
import { BlockNotFoundError, describeError, dispositionOf } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Counts } from "../metrics/counts.js";
import { backoffMs, type Failure, failJob } from "../queue/fail.js";
import type { ClaimedJob } from "../queue/job.js";
import { postponeJob } from "../queue/postpone.js";
import type { Redact } from "../redact.js";
import { BrokenLinkError } from "../store/check-links.js";

/** What failures are settled by. */
export interface FailureOptions {
  pool: pg.Pool;
  maxAttempts: number;
  backoff: { baseMs: number; maxMs: number };
  /** Blocks below the head that count as final where no endpoint tells what is. */
  finalityDepth: number;
  /** Where it is counted what became of blocks. */
  counts?: Counts | undefined;
  log: Logger;
  redact: Redact;
}

/** A job that could not be prepared, and why. */
export interface FailedJob {
  job: ClaimedJob;
  error: unknown;
}

export interface BatchOutcome {
  completed: number;
  failed: number;
  /** Handed on, cancelled or deleted while we worked: nothing was written for them. */
  lost: number;
}

/**
 * Fails a job, or has it wait where its block cannot be had yet. A job whose claim does not hold any more is left as it
 * is. Throws only errors of the database.
 */
export async function settleFailure(
  options: FailureOptions,
  { job, error }: FailedJob,
): Promise<BatchOutcome> {
  if (await isPostponed(options, { job, error })) return { completed: 0, failed: 0, lost: 0 };
  const { baseMs, maxMs } = options.backoff;
  const { attempts } = job;
  const fatal = dispositionOf(error) === "fatal-job";
  const meaning = meaningOf(error);
  const became = await failJob(options.pool, {
    token: job.token,
    message: options.redact(describeError(error)),
    fatal,
    meaning,
    maxAttempts: options.maxAttempts,
    delayMs: backoffMs({ attempts, baseMs, maxMs, random: Math.random() }),
    endpoint: blamed(error),
  });
  options.log.warn(
    { err: error, block: job.blockNumber, attempts, became: became ?? "lost" },
    "block failed",
  );
  if (became !== null)
    options.counts?.add("blockmill_job_failures_total", [fatal ? "fatal" : (meaning ?? "retry")]);
  return { completed: 0, failed: became === null ? 0 : 1, lost: became === null ? 1 : 0 };
}

/** Whether the job waits for its block, which cannot be had yet: no attempt is lost. */
async function isPostponed(options: FailureOptions, { job, error }: FailedJob): Promise<boolean> {
  const patience = patienceWith(error);
  if (patience === "none") return false;
  const postponed = await postponeJob(options.pool, {
    token: job.token,
    message: options.redact(describeError(error)),
    onlyAboveFinality: patience === "above finality",
    finalityDepth: options.finalityDepth,
  });
  if (postponed) {
    options.log.info({ err: error, block: job.blockNumber }, "block not there yet");
    options.counts?.add("blockmill_jobs_postponed_total", []);
  }
  return postponed;
}

/**
 * How long what a job met is taken for "not yet": what is not there is waited for, unless something else is there for
 * good. Receipts that do not prove a block may be half indexed, as long as the block is not final.
 */
function patienceWith(error: unknown): "always" | "above finality" | "none" {
  if (dispositionOf(error) === "not-yet") {
    const isReplaced = error instanceof BlockNotFoundError && error.facts.replaced === true;
    return isReplaced ? "above finality" : "always";
  }
  return mayBeReceipts(error) ? "above finality" : "none";
}

/** Adds what became of other jobs. */
export function addOutcome(sum: BatchOutcome, more: BatchOutcome): void {
  sum.completed += more.completed;
  sum.failed += more.failed;
  sum.lost += more.lost;
}

function meaningOf(error: unknown): Failure["meaning"] {
  if (error instanceof BrokenLinkError) return "unlinked";
  return error instanceof VerificationError ? "unproven" : undefined;
}
