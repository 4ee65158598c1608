import assert from "node:assert/strict";
import { test } from "node:test";
import { inTransaction } from "../../src/db/pool.js";
import { forgetCompleted } from "../../src/queue/forget-completed.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

test("completed jobs of the span go, all others stay", async () => {
  await queue.insert(numbers(1, 5), "completed");
  await queue.rows(
    "update processing_jobs set status = 'failed', completed_at = null where block_number = 3",
  );
  await inTransaction(queue.pool, (tx) => forgetCompleted(tx, { from: 2, to: 4 }));
  assert.deepEqual(await queue.statuses(), { 1: "completed", 3: "failed", 5: "completed" });
});

test("nobody completes a job of the span before the transaction ends, and others may", async () => {
  await queue.insert([3, 9], "processing");
  await inTransaction(queue.pool, async (tx) => {
    await forgetCompleted(tx, { from: 2, to: 4 });
    await inTransaction(queue.pool, async (other) => {
      await other.query("update processing_jobs set priority = 1 where block_number = 9");
      await other.query("set local lock_timeout = '50ms'");
      await assert.rejects(
        other.query("update processing_jobs set priority = 1 where block_number = 3"),
        /lock timeout/,
      );
    });
  });
});
