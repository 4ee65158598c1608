import assert from "node:assert/strict";
import { test } from "node:test";
import { nextBatchSize } from "../../src/worker/batch-size.js";

const seen = {
  current: 4,
  claimed: 4,
  busyMs: 30,
  tookMs: 40,
  rowBytes: 200_000,
  max: 20,
};

test("batches grow up to their bound while they cost little, the faster the less, and only full ones tell", () => {
  assert.equal(nextBatchSize({ ...seen, busyMs: 31 }), 16);
  assert.equal(nextBatchSize({ ...seen, busyMs: 32 }), 8);
  assert.equal(nextBatchSize({ ...seen, current: 16, claimed: 16 }), 20);
  assert.equal(nextBatchSize({ ...seen, claimed: 3 }), 4);
  assert.equal(nextBatchSize({ ...seen, claimed: 0 }), 4);
});

test("a node that is far away does not keep batches small", () => {
  assert.equal(nextBatchSize({ ...seen, current: 1, claimed: 1, busyMs: 8, tookMs: 1_500 }), 2);
});

test("a batch that spreads the cost of a commit is large enough", () => {
  const large = { ...seen, current: 32, claimed: 32, tookMs: 300, max: 64 };
  assert.equal(nextBatchSize({ ...large, busyMs: 60 }), 32);
  assert.equal(nextBatchSize({ ...large, busyMs: 59 }), 52, "its rows have 10 MiB");
});

test("a batch shrinks in proportion when it takes too much of the worker's time, or too long, and one block is the least", () => {
  assert.equal(nextBatchSize({ ...seen, busyMs: 1_000, tookMs: 1_000 }), 1);
  assert.equal(nextBatchSize({ ...seen, current: 20, claimed: 20, busyMs: 1_000, tookMs: 1_000 }), 5);
  assert.equal(nextBatchSize({ ...seen, current: 20, claimed: 20, busyMs: 20, tookMs: 8_000 }), 5);
  assert.equal(nextBatchSize({ ...seen, current: 1, claimed: 1, busyMs: 60_000, tookMs: 60_000 }), 1);
});

test("large blocks come in small batches, however idle the worker is", () => {
  const idle = { ...seen, max: 64 };
  assert.equal(nextBatchSize({ ...idle, rowBytes: 3_000_000 }), 3);
  assert.equal(nextBatchSize({ ...idle, rowBytes: 1_000_000_000 }), 1);
  assert.equal(nextBatchSize({ ...idle, rowBytes: 0 }), 16);
  const slow = { ...idle, current: 64, claimed: 64, tookMs: 12_000 };
  assert.equal(nextBatchSize({ ...slow, rowBytes: 3_000_000 }), 3);
  assert.equal(nextBatchSize({ ...slow, rowBytes: 1_000_000_000 }), 1);
});

test("a batch that takes somewhat longer than it should keeps its size", () => {
  assert.equal(nextBatchSize({ ...seen, busyMs: 400 }), 4);
  assert.equal(nextBatchSize({ ...seen, tookMs: 3_000 }), 4);
});
