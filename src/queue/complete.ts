import type { Tx } from "../db/pool.js";
import type { Token } from "./job.js";

const statement = `
  update processing_jobs as job
  set status = 'completed', completed_at = clock_timestamp(), last_error = null, result = done.result
  from unnest($2::bigint[], $3::int[], $4::jsonb[]) as done (id, claim, result)
  where job.id = any ($2) and job.id = done.id
    and job.worker_id = $1 and job.claims = done.claim and job.status = 'processing'
  returning job.id`;

export interface Completion {
  token: Token;
  /** blockmill's account of it, for `processing_jobs.result`. */
  result: Record<string, unknown>;
}

/**
 * Completes the jobs whose token still holds, and returns their ids. A job that is not among them was
 * handed on, cancelled or deleted: nothing may be written for it. Called first in the transaction that
 * writes the rows: the row locks keep the tokens until it commits.
 */
export async function completeJobs(
  tx: Tx,
  workerId: string,
  completions: Completion[],
): Promise<Set<number>> {
  // Without a name: a prepared statement's generic plan knows no array's length, and takes a nested loop
  // that compares each job with each token. 500 jobs took it six times as long.
  const { rows } = await tx.query<{ id: number }>({
    text: statement,
    values: [
      workerId,
      completions.map(({ token }) => token.id),
      completions.map(({ token }) => token.claim),
      completions.map(({ result }) => JSON.stringify(result)),
    ],
  });
  return new Set(rows.map(({ id }) => id));
}
