import assert from "node:assert/strict";
import { test } from "node:test";
import { statusOrder } from "../../src/queue/job-status.js";
import { readDepth } from "../../src/queue/read-depth.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

test("each status is counted by itself", async () => {
  const counts = { pending: 3, scheduled: 2, processing: 4, completed: 5, failed: 6, cancelled: 1 };
  let next = 1;
  for (const status of statusOrder) {
    await queue.insert(numbers(next, next + counts[status] - 1), status);
    next += counts[status];
  }
  const { jobs } = await readDepth(queue.pool);
  assert.deepEqual(
    jobs,
    Object.fromEntries(Object.entries(counts).map(([status, count]) => [status, { count, atLeast: false }])),
  );
});

test("a block that is archived and completed again is stored once", async () => {
  await queue.insert(numbers(8, 12), "completed");
  await queue.rows("update processing_coverage set blocks = '{[1,10)}'");
  assert.deepEqual((await readDepth(queue.pool)).stored, { count: 12, atLeast: false });
});

test("the last minute's completions are told from older ones, whose age is that of the oldest", async () => {
  await queue.insert(numbers(1, 3), "completed");
  await queue.rows(
    "update processing_jobs set completed_at = now() - interval '1 hour' where block_number = 1",
  );
  const { completedInLastMinute, oldestCompletionSeconds } = await readDepth(queue.pool);
  assert.equal(completedInLastMinute.count, 2);
  assert(oldestCompletionSeconds !== null && oldestCompletionSeconds >= 3_600);
});

test("an empty queue has nothing in it, and no oldest completion", async () => {
  const { jobs, stored, oldestCompletionSeconds } = await readDepth(queue.pool);
  assert(Object.values(jobs).every(({ count }) => count === 0));
  assert.equal(stored.count, 0);
  assert.equal(oldestCompletionSeconds, null);
});
