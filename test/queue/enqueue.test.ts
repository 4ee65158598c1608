import assert from "node:assert/strict";
import { test } from "node:test";
import { claimJobs } from "../../src/queue/claim.js";
import { type EnqueueOptions, enqueueBlocks, enqueueSeries } from "../../src/queue/enqueue.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

const cover = (blocks: string) => queue.rows("update processing_coverage set blocks = $1", [blocks]);

/** Both ways to enqueue blocks 1 to 6. */
const ways: Record<string, (options?: EnqueueOptions) => Promise<number>> = {
  "a list": (options) => enqueueBlocks(queue.pool, [6, 5, 4, 3, 2, 1], options),
  "a series": (options) => enqueueSeries(queue.pool, { from: 1, to: 6, ...options }),
};

for (const [way, enqueue] of Object.entries(ways)) {
  test(`${way} of blocks becomes a job each, with its priority`, async () => {
    assert.equal(await enqueue({ priority: 7 }), 6);
    const jobs = await queue.jobs();
    assert.deepEqual(
      jobs.map(({ block_number, status, priority }) => ({ block_number, status, priority })),
      [1, 2, 3, 4, 5, 6].map((block_number) => ({ block_number, status: "pending", priority: 7 })),
    );
  });

  test(`${way}: blocks that have a job, whatever became of it, are ignored`, async () => {
    await queue.insert([1], "completed");
    await queue.insert([2], "failed");
    await queue.insert([3], "processing");
    await queue.insert([4], "cancelled");
    const before = await queue.rows("select * from processing_jobs order by block_number");
    assert.equal(await enqueue(), 2);
    const after = await queue.rows(
      "select * from processing_jobs where block_number < 5 order by block_number",
    );
    assert.deepEqual(after, before);
    assert.equal(await enqueue(), 0);
  });

  test(`${way}: with force finished jobs run again, and one that is being processed is left alone`, async () => {
    await queue.insert([1], "completed");
    await queue.insert([2], "failed");
    await queue.insert([3], "processing");
    await queue.insert([4], "cancelled");
    await queue.rows("update processing_jobs set attempts = 3, deaths = 1, last_error = 'x', priority = 5");
    const processing = await queue.rows("select * from processing_jobs where block_number = 3");

    assert.equal(await enqueue({ force: true, priority: 2 }), 5);
    for (const block of [1, 2, 4]) {
      const { status, attempts, deaths, last_error, completed_at, priority } = await queue.job(block);
      assert.deepEqual(
        { status, attempts, deaths, last_error, completed_at, priority },
        { status: "pending", attempts: 0, deaths: 0, last_error: null, completed_at: null, priority: 5 },
      );
    }
    assert.deepEqual(await queue.rows("select * from processing_jobs where block_number = 3"), processing);
  });

  test(`${way}: blocks that are covered are ignored unless forced`, async () => {
    await cover("{[2,4),[6,7)}");
    assert.equal(await enqueue(), 3);
    assert.deepEqual(Object.keys(await queue.statuses()), ["1", "4", "5"]);
    assert.equal(await enqueue({ force: true }), 6);
    assert.deepEqual(Object.keys(await queue.statuses()), ["1", "2", "3", "4", "5", "6"]);
  });
}

test("a block that is named twice in a list is enqueued once", async () => {
  assert.equal(await enqueueBlocks(queue.pool, [7, 7, 8, 7]), 2);
  assert.equal(await enqueueBlocks(queue.pool, [7, 7, 8, 7], { force: true }), 2);
  assert.deepEqual(await queue.statuses(), { 7: "pending", 8: "pending" });
});

test("an empty list is no error", async () => {
  assert.equal(await enqueueBlocks(queue.pool, []), 0);
});

test("two who enqueue the same blocks at once make one job each, and do not wait in a circle", async () => {
  const upwards = numbers(1, 500);
  const downwards = [...upwards].reverse();
  const counts = await Promise.all([
    enqueueBlocks(queue.pool, upwards),
    enqueueBlocks(queue.pool, downwards, { force: true }),
    enqueueBlocks(queue.pool, downwards),
    enqueueSeries(queue.pool, { from: 1, to: 500, force: true }),
  ]);
  assert(counts.every((count) => count === 0 || count === 500));
  const jobs = await queue.jobs();
  assert.equal(jobs.length, 500);
  assert(jobs.every(({ status }) => status === "pending"));
  assert.equal((await claimJobs(queue.pool, { workerId: "a/w1", limit: 1_000 })).length, 500);
});
