import assert from "node:assert/strict";
import { test } from "node:test";
import { FetchSlots } from "../../src/pipeline/fetch-slots.js";
import { bytesUnderWay, isKeptWaiting, nextDepth } from "../../src/worker/fetch-depth.js";

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
  assert(slots.takeHadToWait());
  end("b");
  await all[1];
  assert.deepEqual(begun, ["a", "b", "c"]);
  fail("a");
  await assert.rejects(all[0] as Promise<void>, /^Error: a$/);
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
  end("c");
  end("d");
  await Promise.all([all[2], all[3]]);
  assert(slots.takeHadToWait(), "c and d waited since it was asked last");
  assert(!slots.takeHadToWait());
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

const seen = {
  current: 8,
  hadToWait: true,
  utilization: 0.5,
  isKeptWaiting: true,
  isHeldUp: false,
  blockBytes: 1_920_000,
  max: 32,
};

test("the depth grows up to its bound while blocks wait for a slot and the worker is not busy", () => {
  const depths = [8];
  for (let i = 0; i < 5; i += 1) depths.push(nextDepth({ ...seen, current: depths.at(-1) ?? 0 }));
  assert.deepEqual(depths, [8, 12, 18, 27, 32, 32]);
  assert.equal(nextDepth({ ...seen, max: 4 }), 4);
});

test("the depth stays while the worker is busy, or nobody waits", () => {
  assert.equal(nextDepth({ ...seen, utilization: 0.95 }), 8);
  assert.equal(nextDepth({ ...seen, hadToWait: false }), 8);
});

test("the depth shrinks while the database is slower than the node, down to where it began", () => {
  const heldUp = { ...seen, isHeldUp: true };
  assert.equal(nextDepth({ ...heldUp, current: 32 }), 25);
  assert.equal(nextDepth({ ...heldUp, current: 9 }), 8);
  assert.equal(nextDepth({ ...heldUp, current: 4 }), 4);
});

test("the depth shrinks when the node has come near, unless blocks wait although the worker is not busy", () => {
  const near = { ...seen, isKeptWaiting: false, current: 32 };
  assert.equal(nextDepth({ ...near, utilization: 0.95 }), 25);
  assert.equal(nextDepth({ ...near, hadToWait: false }), 25);
  assert.equal(nextDepth({ ...near, current: 20 }), 30);
});

test("a worker is kept waiting where a node takes longer to answer than a ninth of the time that a batch computes", () => {
  assert(isKeptWaiting({ busyMs: 100, waitMs: 12 }));
  assert(!isKeptWaiting({ busyMs: 100, waitMs: 11 }));
});

test("large blocks are fetched fewer at a time, and one always", () => {
  assert.equal(nextDepth({ ...seen, current: 32, blockBytes: 16_000_000 }), 4);
  assert.equal(nextDepth({ ...seen, blockBytes: 1_000_000_000 }), 1);
  assert.equal(nextDepth({ ...seen, current: 1, blockBytes: 0 }), 2);
});

test("a block that goes the direct way takes less than half of what it takes the long way", () => {
  assert.equal(bytesUnderWay(200_000, "direct"), 600_000);
  assert.equal(bytesUnderWay(200_000, "long"), 1_600_000);
});
