import type { Sql } from "../db/pool.js";
import { claimedAt, type Token } from "./job.js";
import { statuses } from "./job-status.js";

// One index scan, as in complete.ts.
const someJobs = `
  update processing_jobs
  set status = ${statuses.pending}, attempts = greatest(attempts - 1, 0)
  where block_number = any ($2) and worker_id = $1 and status = ${statuses.processing}
    and id = ($5::bigint[])[width_bucket(block_number, $2::bigint[])]
    and claims = ($3::int[])[width_bucket(block_number, $2::bigint[])]
    and ${claimedAt} = ($4::bigint[])[width_bucket(block_number, $2::bigint[])]
  returning id`;

const allButSomeJobs = `
  update processing_jobs
  set status = ${statuses.pending}, attempts = greatest(attempts - 1, 0)
  where queued and status = ${statuses.processing} and worker_id = $1 and id <> all ($2::bigint[])
  returning id`;

/**
 * Gives claims back unharmed: they are pending again, and the attempt does not count. Returns how many
 * were still held.
 */
export async function giveBack(sql: Sql, workerId: string, tokens: readonly Token[]): Promise<number> {
  if (tokens.length === 0) return 0;
  const sorted = tokens.toSorted((a, b) => a.blockNumber - b.blockNumber);
  const { rows } = await sql.query({
    name: "give_back",
    text: someJobs,
    values: [
      workerId,
      sorted.map(({ blockNumber }) => blockNumber),
      sorted.map(({ claim }) => claim),
      sorted.map((token) => token.claimedAt),
      sorted.map(({ id }) => id),
    ],
  });
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
