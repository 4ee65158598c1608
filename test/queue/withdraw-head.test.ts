import assert from "node:assert/strict";
import { test } from "node:test";
import { advanceHead, readHead } from "../../src/queue/head.js";
import { withdrawHead } from "../../src/queue/withdraw-head.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

const hashOf = (number: number) => `0x${number.toString(16).padStart(64, "0")}` as const;

/** A head of block 12 whose next block is 13, and a job for each of the blocks from 10 on. */
async function follow() {
  const headers = [10, 11, 12].map((number) => ({ number, hash: hashOf(number), timestamp: number }));
  await advanceHead(queue.pool, {
    chainId: 1,
    headers,
    fresh: headers,
    safeBlock: null,
    finalizedBlock: null,
    startBlock: 10,
    priorityBlocks: 3,
    autoEnqueue: true,
  });
}

test("a head that proved false goes back, and its jobs wait for the chain to reach them", async () => {
  await follow();
  await withdrawHead(queue.pool, 10);

  assert.equal((await readHead(queue.pool))?.nextBlock, 11);
  assert.deepEqual(await queue.statuses(), { 10: "pending", 11: "scheduled", 12: "scheduled" });
  assert.match((await queue.job(11)).last_error ?? "", /was false/);
});

test("a person's parked, cancelled and completed jobs above a false head stay as they are", async () => {
  await follow();
  await queue.insert([20], "cancelled");
  await queue.insert([21]);
  await queue.rows("update processing_jobs set run_at = 'infinity' where block_number = 21");
  const before = await queue.rows(
    "select * from processing_jobs where block_number >= 20 order by block_number",
  );

  await withdrawHead(queue.pool, 10);

  const after = await queue.rows(
    "select * from processing_jobs where block_number >= 20 order by block_number",
  );
  assert.deepEqual(after, before);
});
