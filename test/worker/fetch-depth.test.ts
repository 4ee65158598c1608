import assert from "node:assert/strict";
import { test } from "node:test";
import { FetchSlots } from "../../src/pipeline/fetch-slots.js";
import { bytesUnderWay, FetchDepth, isKeptWaiting, nextDepth } from "../../src/worker/fetch-depth.js";

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

/** 400 blocks a second, of a node 100 ms away. */
const seen = { perMs: 0.4, waitMs: 100, blockBytes: 600_000, max: 96 };

test("so many blocks are fetched at once as come while a node answers, with room to grow, up to the bound", () => {
  assert.equal(nextDepth(seen), 8 + 60);
  assert.equal(nextDepth({ ...seen, waitMs: 5 }), 8 + 3);
  assert.equal(nextDepth({ ...seen, waitMs: 200 }), 96);
  assert.equal(nextDepth({ ...seen, max: 4 }), 4);
});

test("a database, or a worker, that is slower than the node has fewer blocks fetched", () => {
  assert.equal(nextDepth({ ...seen, perMs: 0.1 }), 8 + 15);
});

test("the depth follows what came in a fifth of a second or more, and no fewer blocks than are fetched at once", () => {
  const slots = new FetchSlots(8);
  const depth = new FetchDepth({ slots, max: 96, now: 1_000 });
  const far = { bytes: 0, waitMs: 200 };
  depth.prepared({ ...far, blocks: 7, now: 1_300 });
  assert.equal(slots.limit, 8);
  depth.prepared({ ...far, blocks: 73, waitMs: 210, now: 1_400 });
  assert.equal(slots.limit, 8 + 60);
  // Batches come in bursts.
  depth.prepared({ ...far, blocks: 1_000, now: 1_599 });
  assert.equal(slots.limit, 68);
  depth.prepared({ ...far, blocks: 0, now: 1_600 });
  assert.equal(slots.limit, 96);
});

test("a worker is kept waiting where a node takes longer to answer than a ninth of the time that a batch computes", () => {
  assert(isKeptWaiting({ busyMs: 100, waitMs: 12 }));
  assert(!isKeptWaiting({ busyMs: 100, waitMs: 11 }));
});

test("large blocks are fetched fewer at a time, and one always", () => {
  assert.equal(nextDepth({ ...seen, blockBytes: 16_000_000 }), 4);
  assert.equal(nextDepth({ ...seen, blockBytes: 1_000_000_000 }), 1);
  assert.equal(nextDepth({ ...seen, blockBytes: 0 }), 8 + 60);
});

test("a block that goes the direct way takes less than half of what it takes the long way", () => {
  assert.equal(bytesUnderWay(200_000, "direct"), 600_000);
  assert.equal(bytesUnderWay(200_000, "long"), 1_600_000);
});
