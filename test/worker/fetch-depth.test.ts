import assert from "node:assert/strict";
import { test } from "node:test";
import { FetchSlots } from "../../src/pipeline/fetch-slots.js";
import { bytesUnderWay, depthFor, FetchDepth, isKeptWaiting } from "../../src/worker/fetch-depth.js";

/** Work that ends when it is told to. */
function work() {
  const begun: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  return {
    begun,
    of: (name: string) => () =>
      new Promise<void>((resolve, reject) => {
        begun.push(name);
        ends.set(name, { resolve, reject });
      }),
    end: (name: string) => ends.get(name)?.resolve(),
    fail: (name: string) => ends.get(name)?.reject(new Error(name)),
  };
}

test("no more than the limit run at once, and the others come in the order in which they asked", async () => {
  const slots = new FetchSlots(2);
  const { begun, of, end, fail } = work();
  const all = ["a", "b", "c", "d"].map((name) => slots.use(of(name)));
  assert.deepEqual(begun, ["a", "b"]);
  assert.equal(slots.wanted, 4);
  end("b");
  await all[1];
  assert.deepEqual(begun, ["a", "b", "c"]);
  fail("a");
  await assert.rejects(all[0] as Promise<void>, /^Error: a$/);
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
  end("c");
  end("d");
  await Promise.all([all[2], all[3]]);
  assert.equal(slots.wanted, 0);
});

test("a higher limit admits those that wait, a lower one holds up those that come", async () => {
  const slots = new FetchSlots(1);
  const { begun, of, end } = work();
  const all = ["a", "b", "c", "d"].map((name) => slots.use(of(name)));
  slots.limit = 3;
  assert.deepEqual(begun, ["a"]);
  await Promise.resolve();
  assert.deepEqual(begun, ["a", "b", "c"]);
  slots.limit = 1;
  end("a");
  end("b");
  await Promise.all([all[0], all[1]]);
  assert.deepEqual(begun, ["a", "b", "c"]);
  end("c");
  await all[2];
  end("d");
  await all[3];
});

test("so many blocks are fetched at once as come while a node answers, with room to grow", () => {
  const perMs = 0.4;
  assert.equal(depthFor({ perMs, waitMs: 100 }), 8 + 60);
  assert.equal(depthFor({ perMs, waitMs: 5 }), 8 + 3);
});

test("a database, or a worker, that is slower than the node has fewer blocks fetched", () => {
  assert.equal(depthFor({ perMs: 0.1, waitMs: 100 }), 8 + 15);
});

/** Answers of a node 200 ms away, of 600 kB a block, and the depth that came of them. */
function seenDepth({ max = 96, now = 1_000 } = {}) {
  const slots = new FetchSlots(8);
  const depth = new FetchDepth({ slots, max, now });
  const prepared = (blocks: number, at: { now: number; waitMs?: number; blockBytes?: number }) => {
    const { waitMs = 200, blockBytes = 600_000 } = at;
    depth.prepared({ blocks, bytes: blocks * blockBytes, waitMs, now: at.now });
    return slots.limit;
  };
  return { depth, prepared };
}

test("the depth follows what came in a fifth of a second or more, and no fewer blocks than are fetched at once", () => {
  const { prepared } = seenDepth();
  assert.equal(prepared(7, { now: 1_300 }), 8);
  assert.equal(prepared(73, { now: 1_400, waitMs: 210 }), 8 + 60);
  // Batches come in bursts.
  assert.equal(prepared(1_000, { now: 1_599 }), 68);
  assert.equal(prepared(1, { now: 1_600 }), 96);
});

test("the depth follows a node that comes near: what was seen before counts no more", () => {
  const { prepared } = seenDepth();
  assert.equal(prepared(80, { now: 1_400 }), 68);
  assert.equal(prepared(80, { now: 1_800, waitMs: 5 }), 8 + 2);
  assert.equal(prepared(80, { now: 2_200 }), 68);
});

test("what was seen of a pause tells nothing", () => {
  const { depth, prepared } = seenDepth();
  assert.equal(prepared(80, { now: 1_400 }), 68);
  depth.begin(61_400);
  assert.equal(prepared(80, { now: 61_800 }), 68);
});

test("the depth has a bound", () => {
  assert.equal(seenDepth({ max: 4 }).prepared(8, { now: 1_300 }), 4);
});

test("large blocks are fetched fewer at a time from their first batch on, and one always", () => {
  const { prepared } = seenDepth();
  assert.equal(prepared(80, { now: 1_400 }), 68);
  assert.equal(prepared(2, { now: 1_401, blockBytes: 16_000_000 }), 4);
  assert.equal(prepared(1, { now: 1_402, blockBytes: 1_000_000_000 }), 1);
  assert.equal(prepared(80, { now: 1_800, blockBytes: 16_000_000 }), 4);
});

test("a worker is kept waiting where a node takes longer to answer than a ninth of the time that a batch computes", () => {
  assert(isKeptWaiting({ busyMs: 100, waitMs: 12 }));
  assert(!isKeptWaiting({ busyMs: 100, waitMs: 11 }));
});

test("a block that goes the direct way takes less than half of what it takes the long way", () => {
  assert.equal(bytesUnderWay(200_000, "direct"), 600_000);
  assert.equal(bytesUnderWay(200_000, "long"), 1_600_000);
});
