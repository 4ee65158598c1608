// What a worker begins before it is asked to: the jobs that were claimed along with a commit.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import type pg from "pg";
import type { ChildContext } from "../../src/child/run-child.js";
import { mustBeAlone, Work } from "../../src/worker/work.js";
import { assertCanonical, numbers, silent, useWorld, workerOf } from "../orchestrator/scene.js";
import { scriptChain } from "../orchestrator/scripted-chain.js";
import { waitFor } from "../support/process.js";

const world = useWorld();

async function scene(blocks: number, pool: (real: pg.Pool) => pg.Pool = (real) => real) {
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
  const work = new Work({
    pipeline: { ...pipeline, pool: pool(pipeline.pool) },
    // A batch's size depends on how long the one before it took.
    maxBatch: 1,
    maxDepth: 4,
    context,
  });
  return { chain, asked, stopping, work };
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
  const { chain, asked, work } = await scene(3);
  assert.deepEqual(await commitOne(work), [1]);
  await waitFor(() => asked.length === 2, { what: "the next one to be asked for" });
  assert.deepEqual(asked, [1, 2]);
  assert.deepEqual(await statuses("processing"), [2]);
  assert.deepEqual(await commitOne(work), [2]);
  assert.deepEqual(await commitOne(work), [3]);
  assert.deepEqual(asked, [1, 2, 3]);
  await assertCanonical(world, chain, numbers(1, 3));
});

test("blocks leave nothing behind at the signal that lives as long as the worker", async () => {
  const { stopping, work } = await scene(3);
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
  const { asked, work } = await scene(3);
  await commitOne(work);
  await waitFor(() => asked.length === 2, { what: "the next one to be asked for" });
  await work.giveBackBut([]);
  assert.deepEqual(await statuses("pending"), [2, 3]);
  assert(!work.hasNext);
  await commitOne(work);
  await work.giveBackRest();
  assert.deepEqual(await statuses("processing"), []);
  const burnt = await world.rows("select from processing_jobs where status = 'pending' and attempts > 0");
  assert.equal(burnt.length, 0);
});

test("claims whose answer was lost are given back, though another claim succeeded meanwhile", async () => {
  let claims = 0;
  let isLost = false;
  const { work } = await scene(4, (real) =>
    intercept(real, "claim", async (claim) => {
      claims += 1;
      // The first is made alone, the second beside a commit, the third while that one is under way.
      if (claims === 2) {
        await claim();
        await waitFor(() => claims === 3, { what: "another claim" });
        isLost = true;
        throw connectionLost();
      }
      if (claims === 3) await waitFor(() => isLost, { what: "the answer to be lost" });
      return claim();
    }),
  );
  const committing = commitOne(work);
  await waitFor(() => claims === 2, { what: "the claim beside the commit" });
  const jobs = await work.claim();
  assert.deepEqual(await statuses("processing"), [2, 3]);
  await committing;
  await work.commit(await work.prepare(jobs), { claimNext: false });
  assert.deepEqual(await statuses("processing"), [2]);
  // It goes on behind what it claimed last.
  assert.equal((await work.claim())[0]?.blockNumber, 4);
  assert.deepEqual(await statuses("pending"), [2]);
});

test("others are given back as soon as the database answers, and the job that must be alone is kept", async () => {
  let refused = 0;
  const { work } = await scene(2, (real) =>
    intercept(real, "give_back", (giveBack) => {
      refused += 1;
      return refused < 3 ? Promise.reject(connectionLost()) : giveBack();
    }),
  );
  await world.rows("update processing_jobs set deaths = 1 where block_number = 2");
  const [other] = await work.claim();
  assert.equal(other?.blockNumber, 1);
  const alone = await work.claim();
  await work.giveBackBut(alone);
  assert.equal(refused, 3);
  assert.deepEqual(await statuses("pending"), [1]);
  await work.commit(await work.prepare(alone), { claimNext: false });
  assert.deepEqual(await statuses("completed"), [2]);
});

test("a claim that was lost and made again by the same worker is given back at the end", async () => {
  const { work } = await scene(1);
  const batch = await work.prepare(await work.claim());
  await world.rows("update processing_jobs set status = 'pending'");
  assert.equal((await work.claim()).length, 1);
  // Its token does not hold any more.
  await work.commit(batch, { claimNext: false });
  assert.deepEqual(await statuses("processing"), [1]);
  await work.giveBackRest();
  assert.deepEqual(await statuses("pending"), [1]);
});

test("what is in hand at the end is given back although the database was away for a moment", async () => {
  let asked = 0;
  const { work } = await scene(1, (real) =>
    intercept(real, "give_back", (giveBack) => {
      asked += 1;
      return asked === 1 ? Promise.reject(connectionLost()) : giveBack();
    }),
  );
  await work.claim();
  await work.giveBackRest();
  assert.deepEqual(await statuses("pending"), [1]);
});

const connectionLost = () =>
  Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });

/** A pool whose statements of a name that begins so pass through `on`. */
function intercept(
  real: pg.Pool,
  name: string,
  on: (send: () => Promise<unknown>) => Promise<unknown>,
): pg.Pool {
  const query = (config: string | pg.QueryConfig, values?: unknown[]) => {
    const send = () => real.query(config as pg.QueryConfig, values) as Promise<unknown>;
    return typeof config !== "string" && config.name?.startsWith(name) ? on(send) : send();
  };
  return Object.assign(Object.create(real) as pg.Pool, { query });
}
