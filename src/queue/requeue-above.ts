import type { Hex } from "../block.js";
import type { Tx } from "../db/pool.js";
import { headPriority } from "./head.js";

// Claims in flight lose their token here: the status is part of it. A row that a commit holds is waited
// for; the rows that it wrote are removed by the statements that follow in the same transaction.
const rewind = `
  update processing_jobs as job
  set status = 'pending', block_hash = branch.hash, priority = greatest(job.priority, $3),
      run_at = now(), attempts = 0, deaths = 0, completed_at = null, last_error = null
  from unnest($1::bigint[], $2::bytea[]) as branch (number, hash)
  where job.block_number = branch.number and job.status <> 'cancelled'`;

// The new branch does not reach this height yet. The job keeps what a person put into it, and runs when
// the head does.
const suspend = `
  update processing_jobs
  set status = 'scheduled', run_at = 'infinity', block_hash = null, attempts = 0, deaths = 0,
      completed_at = null, last_error = 'its block was dropped by a reorg; it waits for the new branch to reach this height'
  where block_number > $1 and block_number <= $2 and status <> 'cancelled'`;

// Archived blocks have no job any more; they get one again.
const renew = `
  insert into processing_jobs (block_number, block_hash, priority)
  select branch.number, branch.hash, $3
  from unnest($1::bigint[], $2::bytea[]) as branch (number, hash)
  where exists (select from processing_coverage where blocks @> branch.number)
  on conflict (block_number) do nothing`;

const uncover = `
  update processing_coverage set blocks = blocks - int8multirange(int8range($1, null))
  where blocks && int8multirange(int8range($1, null))`;

export interface Rewind {
  /** The last block that stays. */
  forkBlock: number;
  /** The new branch above it, in order. */
  branch: readonly { number: number; hash: Hex }[];
  /** Up to where old blocks may have jobs. */
  oldHead: number;
}

/** The queue's half of a reorg: every job above the fork point wants the new branch's block. */
export async function requeueAbove(tx: Tx, { forkBlock, branch, oldHead }: Rewind): Promise<void> {
  const numbers = branch.map(({ number }) => number);
  const hashes = branch.map(({ hash }) => Buffer.from(hash.slice(2), "hex"));
  await tx.query(rewind, [numbers, hashes, headPriority]);
  await tx.query(suspend, [branch.at(-1)?.number ?? forkBlock, oldHead]);
  await tx.query(renew, [numbers, hashes, headPriority]);
  await tx.query(uncover, [forkBlock + 1]);
}
