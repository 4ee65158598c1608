import assert from "node:assert/strict";
import { test } from "node:test";
import { FetchSlots } from "../../src/pipeline/fetch-slots.js";
import type { Pipeline } from "../../src/pipeline/pipeline.js";
import type { ClaimedJob } from "../../src/queue/job.js";
import { Batch } from "../../src/worker/batch.js";

/** A batch whose node answers nothing: each block is asked for, and waits until it is given up. */
function scene({ deaths = [0, 0], slots = 1 } = {}) {
  let asked = 0;
  const endpoints = {
    tryEach: (_work: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => {
        asked += 1;
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  const pipeline = {
    endpoints,
    slots: new FetchSlots(slots),
    jobTimeoutMs: 3_600_000,
  } as unknown as Pipeline;
  const jobs = deaths.map((each, i) => ({
    deaths: each,
    blockNumber: i,
    blockHash: null,
    token: { id: i },
  })) as unknown as ClaimedJob[];
  const stopping = new AbortController();
  return { batch: new Batch(pipeline, jobs, stopping.signal), jobs, stopping, asked: () => asked };
}

test("a batch with a job that saw a worker die must be alone", () => {
  assert.equal(scene().batch.mustBeAlone, false);
  assert.equal(scene({ deaths: [0, 1] }).batch.mustBeAlone, true);
});

test("a batch has the token of each of its jobs", () => {
  const { batch, jobs } = scene();
  assert.deepEqual(
    batch.tokens,
    jobs.map(({ token }) => token),
  );
});

test("a preparation begins once, however often it is asked for", async () => {
  const { batch, asked } = scene();
  assert.equal(batch.hasBegun, false);
  assert.equal(batch.begin(), batch.begin());
  assert.equal(batch.hasBegun, true);
  await batch.drop();
  assert.equal(asked(), 1);
});

for (const [what, end] of [
  ["dropped", ({ batch }: ReturnType<typeof scene>) => batch.drop()],
  [
    "under way when the worker is to stop",
    async ({ stopping }: ReturnType<typeof scene>) => stopping.abort(),
  ],
] as const) {
  test(`a batch that is ${what} has all its jobs unharmed`, async () => {
    const all = scene();
    const { done } = all.batch.begin();
    await end(all);
    const { prepared, failed, unharmed } = await done;
    assert.deepEqual([prepared, failed], [[], []]);
    assert.deepEqual(unharmed, all.jobs);
  });
}

test("a batch that never began is dropped at once", async () => {
  const { batch, asked } = scene();
  await batch.drop();
  assert.equal(batch.hasBegun, false);
  assert.equal(asked(), 0);
});
