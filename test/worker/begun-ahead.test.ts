// What a worker begins before it is asked to: the jobs that were claimed along with a commit.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import type { ChildContext } from "../../src/child/run-child.js";
import { mustBeAlone, Work } from "../../src/worker/work.js";
import { assertCanonical, numbers, silent, useWorld, workerOf } from "../orchestrator/scene.js";
import { scriptChain } from "../orchestrator/scripted-chain.js";
import { waitFor } from "../support/process.js";

const world = useWorld();

async function scene(blocks: number) {
  const chain = scriptChain({ head: blocks });
  const asked: number[] = [];
  chain.beforeAnswer = async ({ method, params }) => {
    if (method === "eth_getBlockByNumber") asked.push(Number(params[0]));
  };
  await world.rows("insert into processing_jobs (block_number) select generate_series(1, $1::int)", [blocks]);
  const never = new AbortController().signal;
  const stopping = new AbortController().signal;
  const context = {
    draining: never,
    stopping,
    lease: { holds: () => true, wait: async () => {} },
    report: () => {},
    redact: (text: string) => text,
    log: silent,
  } as unknown as ChildContext;
  const { pipeline } = workerOf(world, chain);
  return { chain, asked, stopping, work: new Work({ pipeline, maxBatch: 2, maxDepth: 4, context }) };
}

/** Claims, prepares and commits a batch, and claims the next one along with it. */
async function commitOne(work: Work): Promise<number[]> {
  const jobs = await work.claim();
  await work.commit(await work.prepare(jobs), { claimNext: true });
  return jobs.map(({ blockNumber }) => blockNumber);
}

const statuses = async (wanted: string) =>
  Object.entries(await world.statuses()).flatMap(([block, status]) =>
    status === wanted ? [Number(block)] : [],
  );

test("jobs that are claimed along with a commit are fetched at once, and once", async () => {
  const { chain, asked, work } = await scene(5);
  assert.deepEqual(await commitOne(work), [1]);
  await waitFor(() => asked.length === 3, { what: "the next two to be asked for" });
  assert.deepEqual(asked, [1, 2, 3]);
  assert.deepEqual(await statuses("processing"), [2, 3]);
  assert.deepEqual(await commitOne(work), [2, 3]);
  assert.deepEqual(await commitOne(work), [4, 5]);
  assert.deepEqual(asked, [1, 2, 3, 4, 5]);
  await assertCanonical(world, chain, numbers(1, 5));
});

test("blocks leave nothing behind at the signal that lives as long as the worker", async () => {
  const { stopping, work } = await scene(5);
  for (let batch = 0; batch < 3; batch += 1) await commitOne(work);
  // What AbortSignal.any made is noted there, and stays.
  const notes = Object.getOwnPropertySymbols(stopping).find(
    ({ description }) => description === "kDependantSignals",
  );
  const followers =
    notes === undefined ? undefined : (stopping as unknown as Record<symbol, Set<unknown>>)[notes];
  assert.equal(followers?.size ?? 0, 0);
  assert.equal(getEventListeners(stopping, "abort").length, 0);
});

test("a job that saw a worker die is not begun beside others", async () => {
  const { asked, work } = await scene(3);
  await world.rows("update processing_jobs set deaths = 1 where block_number = 2");
  assert.deepEqual(await commitOne(work), [1]);
  assert(work.hasNext);
  assert.deepEqual(await statuses("processing"), [2]);
  const jobs = await work.claim();
  assert(mustBeAlone(jobs));
  assert.deepEqual(asked, [1]);
});

test("what was begun is given back, unharmed, when another job must be alone, and at the end", async () => {
  const { asked, work } = await scene(5);
  await commitOne(work);
  await waitFor(() => asked.length === 3, { what: "the next two to be asked for" });
  await work.giveBackBut([]);
  assert.deepEqual(await statuses("pending"), [2, 3, 4, 5]);
  assert(!work.hasNext);
  await commitOne(work);
  await work.giveBackRest();
  assert.deepEqual(await statuses("processing"), []);
  const burnt = await world.rows("select from processing_jobs where status = 'pending' and attempts > 0");
  assert.equal(burnt.length, 0);
});
