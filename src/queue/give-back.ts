import { namedParameters } from "../db/named-parameters.js";
import type { Sql } from "../db/pool.js";
import { claimedAt, type Token } from "./job.js";
import { statuses } from "./job-status.js";

// Its worker lived: what it was suspected of before (release.ts) it did not do this time, and the count begins anew. So
// for each end of a claim but a death: fail.ts, postpone.ts.

// One index scan, as in complete.ts; and in the order of the blocks, as everybody who waits for jobs locks them.
const someJobs = namedParameters<{
  worker: string;
  blocks: number[];
  ids: number[];
  claims: number[];
  claimed_ats: number[];
}>(
  `
  update processing_jobs
  set status = ${statuses.pending}, attempts = greatest(attempts - 1, 0), losses = 0
  where block_number = any (array(
    select block_number from processing_jobs
    where block_number = any (:blocks::bigint[]) and worker_id = :worker and status = ${statuses.processing}
      and id = (:ids::bigint[])[width_bucket(block_number, :blocks::bigint[])]
      and claims = (:claims::int[])[width_bucket(block_number, :blocks::bigint[])]
      and ${claimedAt} = (:claimed_ats::bigint[])[width_bucket(block_number, :blocks::bigint[])]
    order by block_number for update
  ))
  returning id`,
  "give_back",
);

const allButSomeJobs = `
  update processing_jobs
  set status = ${statuses.pending}, attempts = greatest(attempts - 1, 0), losses = 0
  where block_number = any (array(
    select block_number from processing_jobs
    where queued and status = ${statuses.processing} and worker_id = $1 and id <> all ($2::bigint[])
    order by block_number for update
  ))
  returning id`;

/**
 * Gives claims back unharmed: they are pending again, and the attempt does not count. Returns how many
 * were still held.
 */
export async function giveBack(sql: Sql, workerId: string, tokens: readonly Token[]): Promise<number> {
  if (tokens.length === 0) return 0;
  const sorted = tokens.toSorted((a, b) => a.blockNumber - b.blockNumber);
  const { rows } = await sql.query(
    someJobs({
      worker: workerId,
      blocks: sorted.map(({ blockNumber }) => blockNumber),
      ids: sorted.map(({ id }) => id),
      claims: sorted.map(({ claim }) => claim),
      claimed_ats: sorted.map((token) => token.claimedAt),
    }),
  );
  return rows.length;
}

/**
 * Gives back every claim of this worker but the ones in `inHand`: those of a claim whose answer was
 * lost with its connection, which the worker does not know of. Returns how many there were.
 */
export async function giveBackUnknown(sql: Sql, workerId: string, inHand: readonly Token[]): Promise<number> {
  const { rows } = await sql.query(allButSomeJobs, [workerId, inHand.map(({ id }) => id)]);
  return rows.length;
}
