/** A claim's token: whoever settles names all of it, and a claim that was handed on no longer matches. */
export interface Token {
  id: number;
  /** Its block, by whose index the job is found. */
  blockNumber: number;
  workerId: string;
  /** Its number among all claims of this job. */
  claim: number;
  /**
   * When it was made: processing_jobs.started_at, in microseconds since 1970. A server that crashes may forget
   * a claim, and its number: the next one gets that number again.
   */
  claimedAt: number;
}

/** A row's `started_at` as a token has it. */
export const claimedAt = "(extract(epoch from started_at) * 1000000)::bigint";

/** A job that this worker holds. */
export interface ClaimedJob {
  token: Token;
  blockNumber: number;
  priority: number;
  /** Which attempt this is, counted from 1. */
  attempts: number;
  /** The hash that is wanted, as 0x text; null: whatever is canonical. */
  blockHash: `0x${string}` | null;
  /** Workers that died while they held it. */
  deaths: number;
  /** Milliseconds for which it had been due when it was claimed; null: it says no finite time. */
  waitedMs: number | null;
}

/** The channel that the insert trigger notifies. */
export function jobsChannel(schema: string): string {
  return `blockmill_jobs_${schema}`;
}
