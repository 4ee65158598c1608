import type { Hex } from "../block.js";
import { namedParameters } from "../db/named-parameters.js";
import type { Tx } from "../db/pool.js";
import { headPriority } from "./head.js";
import { isParked, statuses } from "./job-status.js";

// Waits for the commits that are under way, in the order of completion, so that the two cannot block
// each other; and holds the rows from then on. What those commits wrote, later statements see.
const lock = `
  select from processing_jobs
  where block_number > $1 and block_number <= greatest($2, (select head_number from processing_head))
  order by block_number for update`;

// Claims in flight lose their token: the status is part of it, and the next claim has another number.
const rewind = `
  update processing_jobs as job
  set status = case when ${isParked} then status else ${statuses.pending} end, block_hash = branch.hash,
      priority = greatest(job.priority, $3), run_at = case when ${isParked} then run_at else now() end,
      suspended = false, attempts = 0, deaths = 0, losses = 0, absences = 0, completed_at = null, last_error = null
  from unnest($1::bigint[], $2::bytea[]) as branch (number, hash)
  where job.block_number = branch.number and job.status <> ${statuses.cancelled}`;

// The new branch does not reach this height yet. The job keeps what a person put into it, and runs when
// the head does: suspended says so, and run_at to programs of version 1. The old branch may have been seen further than it is stored ($3).
const suspend = `
  update processing_jobs
  set status = ${statuses.scheduled}, run_at = 'infinity', suspended = not (${isParked}), block_hash = null, attempts = 0, deaths = 0, losses = 0, absences = 0,
      completed_at = null, last_error = 'its block was dropped by a reorg; it waits for the new branch to reach this height'
  where block_number > $1 and status <> ${statuses.cancelled}
    and block_number <= greatest($2, (select head_number from processing_head where $3))`;

// Blocks that are stored without a job (most were archived) get one again.
const renew = namedParameters<{
  numbers: readonly number[];
  hashes: readonly (Buffer | null)[];
  priority: number;
  stored: readonly number[];
  fork_block: number;
  old_head: number;
}>(`
  insert into processing_jobs (block_number, block_hash, priority, status, run_at, suspended)
  select lost.number, branch.hash, :priority,
    case when branch.number is null then ${statuses.scheduled} else ${statuses.pending} end,
    case when branch.number is null then 'infinity' else now() end,
    branch.number is null
  from (
    select unnest(:stored::bigint[]) as number
    union
    select number from generate_series(:fork_block::bigint + 1, :old_head::bigint) as number
    where exists (select from processing_coverage where blocks @> number)
  ) as lost
  left join unnest(:numbers::bigint[], :hashes::bytea[]) as branch (number, hash) on branch.number = lost.number
  order by lost.number
  on conflict (block_number) do nothing`);

// Its neighbour of the other branch may have been what it failed for. It is below the jobs that are locked by then, so it
// is not waited for: whoever has it locked runs it again, or decides about it.
const revive = `
  update processing_jobs
  set status = ${statuses.pending}, run_at = now(), attempts = 0, deaths = 0, losses = 0, absences = 0, last_error = null
  where block_number = (
    select block_number from processing_jobs
    where block_number = $1 and status = ${statuses.failed} for update skip locked
  )`;

export interface Rewind {
  /** The last block that stays. */
  forkBlock: number;
  /** The new branch above it, in order. Empty: it is not this far yet, and everything is suspended. */
  branch: readonly { number: number; hash: Hex }[];
  /** Up to where old blocks may have jobs. */
  oldHead: number;
  /** The blocks above `forkBlock` that are stored. */
  stored: readonly number[];
}

/**
 * The queue's half of a reorg: every job above the fork point wants the new branch's block. Covered blocks get a job
 * again; whoever removes their rows uncovers them.
 */
export async function requeueAbove(tx: Tx, { forkBlock, branch, oldHead, stored }: Rewind): Promise<void> {
  const newHead = branch.at(-1)?.number ?? forkBlock;
  const hashAt = new Map<number, Buffer | null>(
    branch.map(({ number, hash }) => [number, Buffer.from(hash.slice(2), "hex")]),
  );
  // Where the chain has no block at a number, that is for its job to prove.
  for (let number = forkBlock + 1; number <= Math.min(oldHead, newHead); number += 1)
    if (!hashAt.has(number)) hashAt.set(number, null);
  const numbers = [...hashAt.keys()];
  const hashes = [...hashAt.values()];
  await tx.query(lock, [forkBlock, Math.max(oldHead, newHead)]);
  await tx.query(rewind, [numbers, hashes, headPriority]);
  await tx.query(suspend, [newHead, oldHead, branch.length > 0]);
  await tx.query(
    renew({ numbers, hashes, priority: headPriority, stored, fork_block: forkBlock, old_head: oldHead }),
  );
  await tx.query(revive, [forkBlock]);
}
