import assert from "node:assert/strict";
import { test } from "node:test";
import { cancelJobs } from "../../src/queue/by-hand.js";
import { openRange, topUpRanges } from "../../src/queue/ranges.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

/** What a worker would do: everything that is queued is completed. */
const finishAll = () =>
  queue.rows(
    "update processing_jobs set status = 'completed', completed_at = now() where status = 'pending'",
  );

const blocks = async () => (await queue.jobs()).map(({ block_number }) => block_number);

test("a range of 20,000,000 blocks is one row, and no job", async () => {
  const id = await openRange(queue.pool, { from: 0, to: 19_999_999 });
  assert.deepEqual(
    await queue.rows("select id, from_block, to_block, next_block, priority, force from processing_ranges"),
    [{ id, from_block: 0, to_block: 19_999_999, next_block: 0, priority: 0, force: false }],
  );
  assert.deepEqual(await queue.jobs(), []);
});

test("a range is topped up to a window of queued jobs, again and again, to its end", async () => {
  await openRange(queue.pool, { from: 1, to: 95, priority: 4 });
  const seen: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const { open } = await topUpRanges(queue.pool, 20);
    const queued = await queue.rows("select from processing_jobs where queued");
    assert(queued.length <= 20, `${queued.length} jobs are queued`);
    seen.push(queued.length);
    await finishAll();
    if (!open) break;
  }
  assert.deepEqual(await blocks(), numbers(1, 95));
  assert(seen.length <= 8, `${seen.length} rounds`);
  assert((await queue.jobs()).every(({ priority }) => priority === 4));
  const [range] = await queue.rows<{ next_block: number; enqueued_at: Date | null }>(
    "select next_block, enqueued_at from processing_ranges",
  );
  assert.equal(range?.next_block, 96);
  assert(range.enqueued_at instanceof Date);
  assert.deepEqual(await topUpRanges(queue.pool, 20), { open: false, enqueued: 0 });
});

test("half a window of queued jobs is filled up, more is left alone", async () => {
  await openRange(queue.pool, { from: 1, to: 1_000 });
  assert.deepEqual(await topUpRanges(queue.pool, 20), { open: true, enqueued: 20 });
  assert.deepEqual(await topUpRanges(queue.pool, 20), { open: true, enqueued: 0 });
  await queue.rows(
    "update processing_jobs set status = 'completed', completed_at = now() where block_number <= 9",
  );
  assert.deepEqual(await topUpRanges(queue.pool, 20), { open: true, enqueued: 0 });
  await queue.rows(
    "update processing_jobs set status = 'completed', completed_at = now() where block_number <= 10",
  );
  assert.deepEqual(await topUpRanges(queue.pool, 20), { open: true, enqueued: 10 });
});

test("jobs that people inserted count as queued", async () => {
  await queue.insert(numbers(10_001, 10_050));
  await openRange(queue.pool, { from: 1, to: 5 });
  assert.deepEqual(await topUpRanges(queue.pool, 20), { open: true, enqueued: 0 });
});

test("the range of the highest priority goes first, then the oldest", async () => {
  await openRange(queue.pool, { from: 1, to: 3 });
  await openRange(queue.pool, { from: 11, to: 13, priority: 5 });
  await openRange(queue.pool, { from: 21, to: 23 });
  for (const expected of [[11], [11, 12], [11, 12, 13], [1, 11, 12, 13]]) {
    await topUpRanges(queue.pool, 1);
    assert.deepEqual(await blocks(), expected);
    await finishAll();
  }
});

test("a range that is stored already is passed over, and its gaps are filled", async () => {
  await queue.rows("update processing_coverage set blocks = '{[0,500),[501,1000)}'");
  await openRange(queue.pool, { from: 0, to: 1_009 });
  for (let round = 0; round < 4; round += 1) {
    await topUpRanges(queue.pool, 30);
    await finishAll();
  }
  assert.deepEqual(await blocks(), [500, ...numbers(1_000, 1_009)]);
});

test("a forced range fetches what is stored again", async () => {
  await queue.rows("update processing_coverage set blocks = '{[0,500)}'");
  await queue.insert([500, 501], "completed");
  await openRange(queue.pool, { from: 498, to: 501, force: true });
  assert.deepEqual(await topUpRanges(queue.pool, 100), { open: false, enqueued: 4 });
  assert.deepEqual(await queue.statuses(), {
    498: "pending",
    499: "pending",
    500: "pending",
    501: "pending",
  });
});

test("a cancelled range enqueues no more", async () => {
  await openRange(queue.pool, { from: 1, to: 100 });
  await openRange(queue.pool, { from: 201, to: 300 });
  await topUpRanges(queue.pool, 10);
  assert.deepEqual(await cancelJobs(queue.pool, { from: 1, to: 100 }), { jobs: 10, ranges: 1 });
  await topUpRanges(queue.pool, 10);
  assert.deepEqual(await blocks(), [...numbers(1, 10), ...numbers(201, 210)]);
});

test("cancelling blocks in the middle of a range leaves the rest of it", async () => {
  await openRange(queue.pool, { from: 1, to: 100, priority: 3 });
  await topUpRanges(queue.pool, 10);
  assert.deepEqual(await cancelJobs(queue.pool, { from: 5, to: 90 }), { jobs: 6, ranges: 1 });
  for (let round = 0; round < 10; round += 1) {
    await finishAll();
    await topUpRanges(queue.pool, 10);
  }
  assert.deepEqual(await blocks(), [...numbers(1, 10), ...numbers(91, 100)]);
  assert((await queue.jobs()).every(({ priority }) => priority === 3));
});

test("two who top up at once make no job twice and leave none out", async () => {
  await openRange(queue.pool, { from: 1, to: 300 });
  for (let round = 0; round < 40; round += 1) {
    const outcomes = await Promise.all(numbers(1, 4).map(() => topUpRanges(queue.pool, 25)));
    const queued = await queue.rows("select from processing_jobs where queued");
    assert(queued.length <= 25, `${queued.length} jobs are queued`);
    await finishAll();
    if (outcomes.every(({ open }) => !open)) break;
  }
  assert.deepEqual(await blocks(), numbers(1, 300));
});
