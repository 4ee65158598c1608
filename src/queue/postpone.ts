import { namedParameters } from "../db/named-parameters.js";
import type { Sql } from "../db/pool.js";
import { claimedAt, type Token } from "./job.js";
import { statuses } from "./job-status.js";

/**
 * Waits between two looks for a block, in milliseconds: each twice as long as the one before, and random in its upper
 * half. A job above the head waits the longer: the head's arrival makes it pending (head.ts).
 */
const waitMs = { base: 250, most: 30_000, mostAboveHead: 600_000 };

// The head is held, before the job is: one that arrives at the same time either is seen here, or finds the job waiting.
const postpone = namedParameters<{
  id: number;
  block: number;
  worker: string;
  claim: number;
  claimed_at: number;
  message: string;
  only_above_finality: boolean;
  finality_depth: number;
}>(
  `
  with standing as materialized (select head_number, finalized_block from processing_head for share),
  chain as (
    select max(head_number) as head, max(coalesce(finalized_block, head_number - :finality_depth)) as final
    from standing
  )
  update processing_jobs
  set status = ${statuses.scheduled}, attempts = greatest(attempts - 1, 0), absences = least(absences, 1000000) + 1,
      losses = 0,
      run_at = clock_timestamp() + interval '1 millisecond' * (0.5 + random() / 2) * least(
        case when block_number > head then ${waitMs.mostAboveHead} else ${waitMs.most} end,
        ${waitMs.base} * 2 ^ least(absences, 20)),
      last_error = :message
        || case when block_number > head then ' yet (head ' || head || '); waiting for the head' else '; waiting' end
  from chain
  where block_number = :block and id = :id and worker_id = :worker and claims = :claim
    and ${claimedAt} = :claimed_at and status = ${statuses.processing}
    and (not :only_above_finality or block_number > final)
  returning 1`,
  "postpone",
);

export interface Postponement {
  token: Token;
  /** What is missing, redacted. */
  message: string;
  /** Only a block that is not final yet is waited for; as far as nobody tells what is final, the depth below the head counts. */
  onlyAboveFinality: boolean;
  finalityDepth: number;
}

/**
 * Schedules a job again whose block cannot be had yet: the claim counts no attempt, and the wait grows with each. False:
 * the token no longer holds, or the block is final and `onlyAboveFinality`; nothing was changed.
 */
export async function postponeJob(sql: Sql, postponement: Postponement): Promise<boolean> {
  const { token, message, onlyAboveFinality, finalityDepth } = postponement;
  const { rows } = await sql.query(
    postpone({
      id: token.id,
      block: token.blockNumber,
      worker: token.workerId,
      claim: token.claim,
      claimed_at: token.claimedAt,
      message,
      only_above_finality: onlyAboveFinality,
      finality_depth: finalityDepth,
    }),
  );
  return rows.length > 0;
}
