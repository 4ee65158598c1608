import assert from "node:assert/strict";
import { test } from "node:test";
import { openOrContinueRange, readFailedJobs, readRangeProgress } from "../../src/queue/range-progress.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();
const request = { from: 1, to: 20, priority: 0, force: false };

test("a range that asks for the same is continued; any other request, and a range that is over, is a new one", async () => {
  const first = await openOrContinueRange(queue.pool, request);
  assert.equal(first.continued, false);
  assert.deepEqual(await openOrContinueRange(queue.pool, request), { id: first.id, continued: true });
  for (const other of [{ from: 2 }, { to: 19 }, { priority: 1 }, { force: true }])
    assert.equal((await openOrContinueRange(queue.pool, { ...request, ...other })).continued, false);
  await queue.rows("update processing_ranges set cancelled_at = now()");
  assert.equal((await openOrContinueRange(queue.pool, request)).continued, false);
});

test("each block of a range is counted once, where it is", async () => {
  const { id } = await openOrContinueRange(queue.pool, request);
  await queue.rows("update processing_ranges set next_block = 11");
  // Behind next_block: one of each kind. The rest of 1 to 10 has no job any more: it is stored.
  await queue.insert([1], "pending");
  await queue.insert([2], "processing");
  await queue.rows(
    "insert into processing_jobs (block_number, run_at) values (3, now() + interval '1 hour')",
  );
  await queue.insert([4], "failed");
  await queue.insert([5], "cancelled");
  await queue.insert([6], "completed");
  // Ahead of it: 11 is archived, 12 completed, 13 another's job.
  await queue.rows("update processing_coverage set blocks = '{[7,12)}'");
  await queue.insert([12], "completed");
  await queue.insert([13], "pending");
  assert.deepEqual(await readRangeProgress(queue.pool, id), {
    ahead: 8,
    queued: 2,
    scheduled: 1,
    failed: 1,
    cancelled: 1,
    stored: 7,
    rangeCancelled: false,
  });
});

test("what lies ahead of a forced range runs again, also where it is stored", async () => {
  const { id } = await openOrContinueRange(queue.pool, { ...request, force: true });
  await queue.rows("update processing_coverage set blocks = '{[1,21)}'");
  const { ahead, stored } = await readRangeProgress(queue.pool, id);
  assert.deepEqual({ ahead, stored }, { ahead: 20, stored: 0 });
});

test("a range that was cancelled says so, and one that was deleted is an error", async () => {
  const { id } = await openOrContinueRange(queue.pool, request);
  await queue.rows("update processing_ranges set cancelled_at = now()");
  assert.equal((await readRangeProgress(queue.pool, id)).rangeCancelled, true);
  await queue.rows("delete from processing_ranges");
  await assert.rejects(readRangeProgress(queue.pool, id), /was deleted$/);
});

test("failed jobs come in the order of their blocks, within the range and the limit", async () => {
  await queue.insert(numbers(1, 9), "failed");
  await queue.insert([10], "cancelled");
  await queue.rows("update processing_jobs set last_error = 'no' where block_number = 3");
  assert.deepEqual(await readFailedJobs(queue.pool, { from: 3, to: 20, limit: 2 }), [
    { blockNumber: 3, lastError: "no" },
    { blockNumber: 4, lastError: null },
  ]);
  const all = await readFailedJobs(queue.pool, { from: 8, to: 20, limit: 100 });
  assert.deepEqual(
    all.map(({ blockNumber }) => blockNumber),
    [8, 9],
  );
});
