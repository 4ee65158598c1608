import type { Statement } from "../db/exchange.js";
import { namedParameters } from "../db/named-parameters.js";
import { numberArray } from "../db/number-array.js";
import type { Token } from "./job.js";
import type { JobResult } from "./job-result.js";
import { statuses } from "./job-status.js";

// One index scan, whatever the planner believes. Joined with `unnest`, a job is compared with each token of
// the batch as soon as a plan expects a single row, which it does from the statistics of a backlog: 500 jobs
// took 190 ms then, and take 15. width_bucket finds a job's place among the sorted blocks.
// The accounts are one document, which is parsed once, and where a place is found at once; in an array of jsonb
// each is parsed by itself, and all that stand before a place are passed over.
const complete = namedParameters<{
  worker: string;
  claimed_at: number;
  blocks: string;
  ids: string;
  claims: string;
  results: string;
}>(
  `
  with held as (
    update processing_jobs
    set status = ${statuses.completed}, completed_at = clock_timestamp(), last_error = null,
      result = :results::jsonb -> (width_bucket(block_number, :blocks::bigint[]) - 1)
    where block_number = any (:blocks) and worker_id = :worker and status = ${statuses.processing}
      and id = (:ids::bigint[])[width_bucket(block_number, :blocks::bigint[])]
      and claims = (:claims::int[])[width_bucket(block_number, :blocks::bigint[])]
      and started_at = (select timestamptz 'epoch' + :claimed_at::bigint * interval '1 microsecond')
    returning id
  )
  select json_agg(id) as ids from held`,
  "complete",
);

export interface Completion {
  token: Token;
  result: JobResult;
}

/**
 * Completes the jobs of one claim whose token still holds, and answers with their ids. A job that is not among
 * them was handed on, cancelled or deleted: nothing may be written for it. Sent first in the transaction that
 * writes the rows: the row locks keep the tokens until it commits.
 */
export function completion(workerId: string, completions: readonly Completion[]): Statement<Set<number>> {
  const sorted = completions.toSorted((a, b) => a.token.blockNumber - b.token.blockNumber);
  const claimedAt = sorted[0]?.token.claimedAt ?? 0;
  if (sorted.some(({ token }) => token.claimedAt !== claimedAt))
    throw new Error("jobs of several claims are not completed together");
  return {
    query: complete({
      worker: workerId,
      claimed_at: claimedAt,
      blocks: numberArray(sorted.map(({ token }) => token.blockNumber)),
      ids: numberArray(sorted.map(({ token }) => token.id)),
      claims: numberArray(sorted.map(({ token }) => token.claim)),
      results: JSON.stringify(sorted.map(({ result }) => result)),
    }),
    read: ({ rows }) => new Set((rows[0] as { ids: number[] | null }).ids),
  };
}
