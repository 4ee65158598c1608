import type { Statement } from "../db/exchange.js";
import { claimedAt, type Token } from "./job.js";

// One index scan, whatever the planner believes. Joined with `unnest`, a job is compared with each token of
// the batch as soon as a plan expects a single row, which it does from the statistics of a backlog: 500 jobs
// took 190 ms then, and take 15. width_bucket finds a job's place in the sorted ids.
const statement = `
  update processing_jobs
  set status = 'completed', completed_at = clock_timestamp(), last_error = null,
    result = ($4::jsonb[])[width_bucket(id, $2::bigint[])]
  where id = any ($2) and worker_id = $1 and status = 'processing'
    and claims = ($3::int[])[width_bucket(id, $2::bigint[])]
    and ${claimedAt} = ($5::bigint[])[width_bucket(id, $2::bigint[])]
  returning id`;

export interface Completion {
  token: Token;
  /** blockmill's account of it, for `processing_jobs.result`. */
  result: Record<string, unknown>;
}

/**
 * Completes the jobs whose token still holds, and answers with their ids. A job that is not among them was
 * handed on, cancelled or deleted: nothing may be written for it. Sent first in the transaction that writes
 * the rows: the row locks keep the tokens until it commits.
 */
export function completion(workerId: string, completions: readonly Completion[]): Statement<Set<number>> {
  const sorted = completions.toSorted((a, b) => a.token.id - b.token.id);
  return {
    query: {
      name: "complete",
      text: statement,
      values: [
        workerId,
        sorted.map(({ token }) => token.id),
        sorted.map(({ token }) => token.claim),
        sorted.map(({ result }) => JSON.stringify(result)),
        sorted.map(({ token }) => token.claimedAt),
      ],
    },
    read: ({ rows }) => new Set(rows.map(({ id }: { id: number }) => id)),
  };
}
