import assert from "node:assert/strict";
import { test } from "node:test";
import { createSharedRead } from "../../src/web/shared-read.js";

function scene() {
  const clock = { now: 0 };
  let reads = 0;
  let fails = false;
  const get = createSharedRead({
    async read() {
      reads += 1;
      if (fails) throw new Error("away");
      return reads;
    },
    everyMs: 1_000,
    describe: (error) => (error as Error).message,
    now: () => clock.now,
  });
  return {
    get,
    clock,
    reads: () => reads,
    fail: (now: boolean) => {
      fails = now;
    },
  };
}

test("however many ask, it is read once in its time, and not at all while nobody asks", async () => {
  const { get, clock, reads } = scene();
  assert.equal(reads(), 0);
  const both = await Promise.all([get(), get()]);
  assert.deepEqual(
    both.map(({ value }) => value),
    [1, 1],
  );
  clock.now = 999;
  assert.deepEqual(await get(), { value: 1, ageSeconds: 0.999, error: null });
  clock.now = 60_000;
  assert.equal(reads(), 1);
  assert.deepEqual(await get(), { value: 2, ageSeconds: 0, error: null });
});

test("nobody waits long for an answer that does not come: the last value is told, with its age", async () => {
  const clock = { now: 0 };
  const answers: (() => void)[] = [];
  let reads = 0;
  const get = createSharedRead({
    async read() {
      reads += 1;
      if (reads > 1) await new Promise<void>((resolve) => answers.push(resolve));
      return reads;
    },
    everyMs: 1_000,
    patienceMs: 1,
    describe: String,
    now: () => clock.now,
  });
  await get();
  clock.now = 5_000;
  const said = "the database has not answered for 0 s";
  assert.deepEqual(await get(), { value: 1, ageSeconds: 5, error: said });
  clock.now = 9_000;
  // It is not asked a second time meanwhile.
  assert.deepEqual(await get(), { value: 1, ageSeconds: 9, error: said.replace("0", "4") });
  assert.equal(reads, 2);
  answers[0]?.();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual((await get()).value, 2);
});

test("what cannot be read leaves the last value, whose age grows, and says why", async () => {
  const { get, clock, fail } = scene();
  fail(true);
  assert.deepEqual(await get(), { value: null, ageSeconds: null, error: "away" });
  fail(false);
  clock.now = 1_000;
  assert.deepEqual(await get(), { value: 2, ageSeconds: 0, error: null });
  fail(true);
  clock.now = 5_000;
  assert.deepEqual(await get(), { value: 2, ageSeconds: 4, error: "away" });
});
