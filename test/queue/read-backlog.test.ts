import assert from "node:assert/strict";
import { test } from "node:test";
import { readBacklog } from "../../src/queue/read-backlog.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

test("pending jobs are counted up to the limit, and no others", async () => {
  await queue.insert(numbers(1, 5));
  for (const [block, status] of [
    [6, "processing"],
    [7, "completed"],
    [8, "failed"],
  ] as const)
    await queue.insert([block], status);
  assert.equal((await readBacklog(queue.pool, { limit: 100, only: undefined })).pending, 5);
  assert.equal((await readBacklog(queue.pool, { limit: 3, only: undefined })).pending, 3);
});

test("only the blocks that are asked for are looked at", async () => {
  await queue.insert(numbers(1, 5));
  assert.equal((await readBacklog(queue.pool, { limit: 100, only: { from: 2, to: 4 } })).pending, 3);
});

test("the age is that of the job that has been due for longest, of those that come next", async () => {
  await queue.insert(numbers(1, 3));
  await queue.rows(
    `update processing_jobs set created_at = now() - interval '1 hour', run_at = now() - interval '10 minutes'
     where block_number = 2`,
  );
  const minutes = async (limit: number) =>
    (await readBacklog(queue.pool, { limit, only: undefined })).oldestMs / 60_000;
  assert(Math.abs((await minutes(3)) - 10) < 3);
  assert((await minutes(1)) < 3);
});

test("where nothing waits, nothing is old", async () => {
  assert.deepEqual(await readBacklog(queue.pool, { limit: 5, only: undefined }), { pending: 0, oldestMs: 0 });
});
