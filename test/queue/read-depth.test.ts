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

test("the last minute's completions are told from older ones, each with the age of the oldest", async () => {
  await queue.insert(numbers(1, 3), "completed");
  await queue.rows(
    "update processing_jobs set completed_at = now() - interval '1 hour' where block_number = 1",
  );
  const { lastMinute, oldestCompletionSeconds } = await readDepth(queue.pool);
  assert.deepEqual([lastMinute.count, lastMinute.atLeast], [2, false]);
  assert(lastMinute.oldestSeconds !== null && lastMinute.oldestSeconds < 3_600);
  assert(oldestCompletionSeconds !== null && oldestCompletionSeconds >= 3_600);
});

test("an empty queue has nothing in it, and no oldest completion", async () => {
  const { jobs, stored, oldestCompletionSeconds } = await readDepth(queue.pool);
  assert(Object.values(jobs).every(({ count }) => count === 0));
  assert.equal(stored.count, 0);
  assert.equal(oldestCompletionSeconds, null);
});

test("behind is what was asked for up to the head and is not stored, tried or not; overlapping ranges count once", async () => {
  const none = { count: 0, atLeast: false };
  const empty = await readDepth(queue.pool);
  assert.deepEqual([empty.behind, empty.waiting], [none, { ...none, firstBlock: null }]);
  await queue.rows(`insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
    values (1, 99, 100, decode(repeat('11', 32), 'hex'), now())`);
  await queue.insert([1, 2], "completed");
  await queue.insert([3], "failed");
  await queue.insert([4], "cancelled");
  await queue.insert([5, 101], "pending");
  await queue.insert([6, 102, 103], "scheduled");
  await queue.rows("update processing_jobs set absences = 2 where block_number > 101");
  await queue.rows(
    "insert into processing_ranges (from_block, to_block, next_block) values (10, 19, 15), (17, 19, 17), (200, 300, 200)",
  );
  // 3, 5, 6; 15 to 19; 99 and 100.
  const { behind, waiting } = await readDepth(queue.pool);
  assert.deepEqual(behind, { count: 10, atLeast: false });
  assert.deepEqual(waiting, { count: 2, atLeast: false, firstBlock: 102 });
});
