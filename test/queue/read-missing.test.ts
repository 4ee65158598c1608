import assert from "node:assert/strict";
import { test } from "node:test";
import { readMissing } from "../../src/queue/read-missing.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

test("behind is what was asked for up to the head and is not stored, tried or not", async () => {
  assert.deepEqual(await readMissing(queue.pool), {
    behind: 0,
    atLeast: false,
    waiting: 0,
    firstWaiting: null,
  });
  await queue.rows(`insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
    values (1, 99, 100, decode(repeat('11', 32), 'hex'), now())`);
  await queue.insert([1, 2], "completed");
  await queue.insert([3], "failed");
  await queue.insert([4], "cancelled");
  await queue.insert([5, 101], "pending");
  await queue.insert([6, 102, 103], "scheduled");
  await queue.rows("update processing_jobs set absences = 2 where block_number > 101");
  await queue.rows("insert into processing_ranges (from_block, to_block, next_block) values (10, 19, 15)");
  // 3, 5, 6; 15 to 19; 99 and 100.
  const missing = await readMissing(queue.pool);
  assert.deepEqual(missing, { behind: 10, atLeast: false, waiting: 2, firstWaiting: 102 });
});
