// How fast a worker goes, from what its batches took: on a clock that the test moves.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PreparedJob } from "../../src/pipeline/commit-prepared.js";
import { FetchSlots } from "../../src/pipeline/fetch-slots.js";
import type { PreparedBatch } from "../../src/pipeline/pipeline.js";
import { Pace } from "../../src/worker/pace.js";

/** A worker that prepares a batch at a time: each begins when the one before it is prepared. */
function scene({ maxBatch = 100, maxDepth = 64 } = {}) {
  const slots = new FetchSlots(8);
  let now = 1_000;
  let busy = 0;
  const pace = new Pace({
    slots,
    maxBatch,
    maxDepth,
    now: () => now,
    busySince() {
      const since = busy;
      busy = 0;
      return since;
    },
  });
  const prepare = (
    jobs: number,
    seen: { tookMs: number; busyMs: number; answerMs?: number; rowBytes?: number; begunAt?: number },
    fate: Partial<PreparedBatch> = {},
  ): void => {
    const { tookMs, busyMs, answerMs = 0, rowBytes = 1_000, begunAt = now } = seen;
    now += tookMs;
    busy += busyMs;
    const prepared = Array.from({ length: jobs }, () => blockOf(rowBytes, answerMs));
    const batch = { prepared, failed: [], unharmed: [], waitFor: undefined, ...fate };
    pace.prepared(batch, { claimed: jobs, begunAt });
  };
  return { pace, slots, prepare };
}

function blockOf(rowBytes: number, answerMs: number): PreparedJob {
  return {
    rows: { rows: { logs: Buffer.alloc(rowBytes) } },
    answerMs,
    way: "direct",
  } as unknown as PreparedJob;
}

test("batches grow while they cost little, and shrink when their blocks are heavy", () => {
  const { pace, prepare } = scene();
  assert.equal(pace.batchSize, 1);
  prepare(1, { tookMs: 5, busyMs: 1 });
  assert.equal(pace.batchSize, 4);
  prepare(4, { tookMs: 20, busyMs: 4 });
  assert.equal(pace.batchSize, 16);
  prepare(16, { tookMs: 8_000, busyMs: 1_000 });
  assert.equal(pace.batchSize, 4);
});

test("a batch that was begun beside another is charged with its own time only", () => {
  const { pace, prepare } = scene();
  prepare(1, { tookMs: 5_000, busyMs: 1, begunAt: 1_000 });
  const before = pace.batchSize;
  prepare(1, { tookMs: 5, busyMs: 1, begunAt: 1_000 });
  assert.equal(before, 1);
  assert.equal(pace.batchSize, 4);
});

test("a node that takes longer than the blocks' computing keeps the worker waiting, a near one does not", () => {
  const { pace, prepare } = scene();
  assert.equal(pace.isKeptWaiting, false);
  prepare(1, { tookMs: 60, busyMs: 5, answerMs: 50 });
  assert.equal(pace.isKeptWaiting, true);
  // The mean of what a block costs moves with each batch, and one that was expensive does not decide alone.
  prepare(1, { tookMs: 60, busyMs: 55, answerMs: 50 });
  assert.equal(pace.isKeptWaiting, true);
  prepare(1, { tookMs: 60, busyMs: 55, answerMs: 1 });
  assert.equal(pace.isKeptWaiting, false);
});

test("the node's latency is that of the block that it answered soonest", () => {
  const { pace, prepare } = scene();
  const batch = [blockOf(10, 500), blockOf(10, 0)];
  prepare(2, { tookMs: 60, busyMs: 5 }, { prepared: batch });
  assert.equal(pace.isKeptWaiting, false);
});

test("a pause makes the worker claim in its turn until it is kept waiting again", () => {
  const { pace, prepare } = scene();
  prepare(1, { tookMs: 60, busyMs: 5, answerMs: 50 });
  pace.paused();
  assert.equal(pace.isKeptWaiting, false);
});

test("a batch of which nothing came, or that met an outage, is a pause and changes no size", () => {
  const { pace, prepare } = scene();
  for (const fate of [{ prepared: [] }, { waitFor: new Error("down") }]) {
    prepare(1, { tookMs: 60, busyMs: 5, answerMs: 50 });
    const { batchSize } = pace;
    assert.equal(pace.isKeptWaiting, true);
    prepare(batchSize, { tookMs: 2, busyMs: 1 }, fate);
    assert.equal(pace.batchSize, batchSize);
    assert.equal(pace.isKeptWaiting, false);
  }
});

test("the slots follow what comes while the node answers, and what their memory holds", () => {
  const { slots, prepare } = scene();
  // 16 blocks in 400 ms, of a node that answers in 1,000.
  for (let batch = 0; batch < 2; batch += 1) prepare(8, { tookMs: 200, busyMs: 5, answerMs: 1_000 });
  assert(slots.limit > 16, String(slots.limit));
  prepare(1, { tookMs: 1, busyMs: 1, rowBytes: 8 * 1024 * 1024 });
  assert.equal(slots.limit, 2);
});
