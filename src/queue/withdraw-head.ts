import type pg from "pg";
import { inTransaction } from "../db/pool.js";
import { lockHead, rewindHead } from "./head.js";
import { isParked, statuses } from "./job-status.js";

// The jobs that the false head brought, and others that were tried in vain. What a person put into them stays.
const suspend = `
  update processing_jobs
  set status = ${statuses.scheduled}, run_at = 'infinity', suspended = true, block_hash = null, attempts = 0, deaths = 0, losses = 0,
      last_error = 'the head that was told of at this height was false; it waits for the chain to reach it'
  where block_number = any (array(
    select block_number from processing_jobs
    where block_number > $1 and not (${isParked})
      and (status in (${statuses.pending}, ${statuses.processing}, ${statuses.failed})
        or (status = ${statuses.scheduled} and (block_hash is not null or attempts > 0)))
    order by block_number for update
  ))`;

// A range that is cut below its next block has nothing left to enqueue.
const cut = `
  update processing_ranges
  set to_block = greatest($1, next_block - 1, from_block),
      enqueued_at = case when next_block > $1 then clock_timestamp() end
  where by_head and enqueued_at is null and cancelled_at is null and to_block > $1`;

/**
 * Takes a head back that proved false: following goes on from `head`, the newest block that there is. Nothing that is
 * stored changes, and no block up to `head` is passed over.
 */
export async function withdrawHead(pool: pg.Pool, head: number): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await lockHead(tx);
    await tx.query(suspend, [head]);
    await tx.query(cut, [head]);
    await rewindHead(tx, head + 1);
  });
}
