import assert from "node:assert/strict";
import { test } from "node:test";
import { claimJobs } from "../../src/queue/claim.js";
import { type AdvanceOptions, advanceHead, headPriority, readHead } from "../../src/queue/head.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

const header = (number: number) => ({
  number,
  hash: `0x${number.toString(16).padStart(64, "0")}` as const,
  timestamp: 1_700_000_000 + number,
});

/** A head with its two ancestors, all of them new. */
const advance = (number: number, more: Partial<AdvanceOptions> = {}) => {
  const headers = [number - 2, number - 1, number].filter((each) => each >= 0).map(header);
  return advanceHead(queue.pool, {
    chainId: 1,
    headers,
    fresh: headers,
    safeBlock: null,
    finalizedBlock: null,
    startBlock: null,
    priorityBlocks: 3,
    autoEnqueue: true,
    ...more,
  });
};

const blocks = async () => (await queue.jobs()).map(({ block_number }) => block_number);

test("the first head begins at itself when no start is named", async () => {
  assert.equal(await readHead(queue.pool), null);
  assert.equal(await advance(1_000), 1);
  assert.deepEqual(await blocks(), [1_000]);
  assert.deepEqual(await readHead(queue.pool), {
    chainId: 1,
    nextBlock: 1_001,
    headNumber: 1_000,
    finalizedBlock: null,
  });
});

test("the first head begins at the start block, the newest blocks ahead of the others", async () => {
  assert.equal(await advance(100, { startBlock: 91 }), 10);
  const claimed: number[] = [];
  for (let i = 0; i < 10; i += 1) {
    const [job] = await claimJobs(queue.pool, { workerId: "a/w1", limit: 1 });
    if (job !== undefined) claimed.push(job.blockNumber);
  }
  assert.deepEqual(claimed, [98, 99, 100, ...numbers(91, 97)]);
  assert.equal((await queue.job(98)).priority, headPriority);
  assert.equal((await queue.job(97)).priority, 0);
});

test("a gap between two heads is filled, each block once", async () => {
  await advance(10);
  assert.equal(await advance(17), 7);
  assert.equal(await advance(17), 0);
  assert.equal(await advance(18), 1);
  assert.deepEqual(await blocks(), numbers(10, 18));
});

test("a gap of many blocks becomes a range instead of a job each", async () => {
  await advance(10);
  assert.equal(await advance(5_010), 5_000);
  assert.deepEqual(await blocks(), [10, 5_008, 5_009, 5_010]);
  assert.deepEqual(await queue.rows("select from_block, to_block, priority from processing_ranges"), [
    { from_block: 11, to_block: 5_007, priority: 0 },
  ]);
});

test("a head that goes backwards enqueues nothing, and what comes back is not enqueued twice", async () => {
  await advance(10);
  assert.equal(await advance(6), 0);
  assert.deepEqual(await readHead(queue.pool), {
    chainId: 1,
    nextBlock: 11,
    headNumber: 6,
    finalizedBlock: null,
  });
  assert.equal(await advance(10), 0);
  assert.equal(await advance(11), 1);
  assert.deepEqual(await blocks(), [10, 11]);
});

test("a head before the start block enqueues nothing until the chain gets there", async () => {
  assert.equal(await advance(5, { startBlock: 8 }), 0);
  assert.equal(await advance(8, { startBlock: 8 }), 1);
  assert.deepEqual(await blocks(), [8]);
});

test("without autoEnqueue the head is noted, and where the following begins is left to whoever turns it on", async () => {
  assert.equal(await advance(10, { autoEnqueue: false }), 0);
  assert.equal(await advance(15, { autoEnqueue: false }), 0);
  assert.deepEqual(await readHead(queue.pool), {
    chainId: 1,
    nextBlock: null,
    headNumber: 15,
    finalizedBlock: null,
  });
  assert.deepEqual(await blocks(), []);
  assert.equal(await advance(16, { startBlock: 14 }), 3);
  assert.equal(await advance(18, { autoEnqueue: false }), 0);
  assert.equal(await advance(19), 3);
  assert.deepEqual(await blocks(), [14, 15, 16, 17, 18, 19]);
});

test("without priority blocks every block has the same priority", async () => {
  await advance(10, { startBlock: 8, priorityBlocks: 0 });
  assert.deepEqual(
    (await queue.jobs()).map(({ priority }) => priority),
    [0, 0, 0],
  );
});

test("two who see the same head at once enqueue its blocks once", async () => {
  await advance(10);
  await Promise.all(numbers(1, 5).map(() => advance(20)));
  assert.deepEqual(await blocks(), numbers(10, 20));
  assert((await queue.jobs()).every(({ status }) => status === "pending"));
});

test("a head and its jobs are noted together or not at all", async () => {
  await advance(10);
  const wrong = { ...header(12), hash: "0x12" as const };
  await assert.rejects(
    advance(12, { headers: [header(11), wrong], fresh: [] }),
    /block_hash_check|head_hash_check/,
  );
  assert.deepEqual(await blocks(), [10]);
  assert.deepEqual(await readHead(queue.pool), {
    chainId: 1,
    nextBlock: 11,
    headNumber: 10,
    finalizedBlock: null,
  });
});

test("blocks among the headers are wanted by their hash, older ones by number, also jobs that were there", async () => {
  await queue.insert([98]);
  await advance(100, { startBlock: 96 });
  const rows = await queue.rows<{ block_number: number; hash: string | null }>(
    "select block_number, encode(block_hash, 'hex') as hash from processing_jobs order by block_number",
  );
  assert.deepEqual(
    rows.map(({ block_number, hash }) => [block_number, hash === null ? null : Number(`0x${hash}`)]),
    [
      [96, null],
      [97, null],
      [98, 98],
      [99, 99],
      [100, 100],
    ],
  );
});
