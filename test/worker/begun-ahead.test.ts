// What a worker claims and begins before its turn, while it waits for a node.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { ChildContext } from "../../src/child/run-child.js";
import { Counts } from "../../src/metrics/counts.js";
import { FetchSlots } from "../../src/pipeline/fetch-slots.js";
import type { Batch } from "../../src/worker/batch.js";
import { Patience } from "../../src/worker/patience.js";
import { Wake } from "../../src/worker/wake.js";
import { Work } from "../../src/worker/work.js";
import { runWorker } from "../../src/worker/worker.js";
import { assertCanonical, numbers, silent, useWorld, workerOf } from "../orchestrator/scene.js";
import { scriptChain } from "../orchestrator/scripted-chain.js";
import { waitFor } from "../support/process.js";

const world = useWorld();

/** A node that takes its time, or answers nothing while it is held, and a worker that computes for so long for each block. */
async function scene(
  blocks: number,
  {
    waitMs = 50,
    busyMs = 0,
    slots = 4,
    maxBatch = 1,
    holds = () => true,
    pool = (real) => real,
  }: {
    waitMs?: number;
    busyMs?: number;
    slots?: number;
    maxBatch?: number;
    holds?(): boolean;
    pool?(real: pg.Pool): pg.Pool;
  } = {},
) {
  const chain = scriptChain({ head: blocks });
  const asked: number[] = [];
  let held: Promise<void> | undefined;
  /** Returns what lets the node answer again. */
  const hold = (): (() => void) => {
    let release = (): void => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    return () => release();
  };
  const warnings: string[] = [];
  chain.beforeAnswer = async ({ method, params }) => {
    if (method !== "eth_getBlockByNumber") return;
    asked.push(Number(params[0]));
    if (waitMs > 0) await sleep(waitMs);
    await held;
  };
  await world.rows("insert into processing_jobs (block_number) select generate_series(1, $1::int)", [blocks]);
  const draining = new AbortController();
  const stopping = new AbortController().signal;
  const context = {
    draining: draining.signal,
    stopping,
    lease: { holds, wait: async () => {} },
    report: () => {},
    redact: (text: string) => text,
    settings: {},
    log: Object.assign(Object.create(silent) as typeof silent, {
      warn: (_fields: unknown, message: string) => warnings.push(message),
    }),
    counts: new Counts(),
  } as unknown as ChildContext<"worker">;
  const { pipeline } = workerOf(world, chain);
  const patience = new Patience(stopping);
  const work = new Work({
    pipeline: {
      ...pipeline,
      pool: pool(pipeline.pool),
      slots: new FetchSlots(slots),
      // Step by step, so that every block passes the encoder.
      takeDirectly: () => null,
      encoder: {
        ...pipeline.encoder,
        encode(rows) {
          for (const until = performance.now() + busyMs; performance.now() < until; );
          return pipeline.encoder.encode(rows);
        },
      },
    },
    // One unless stated: a batch's size depends on how long the one before it took.
    maxBatch,
    maxDepth: slots,
    patience,
    context,
  });
  const run = () => runWorker({ work, wake: new Wake(), patience, context });
  return { chain, asked, hold, warnings, stopping, work, run, drain: () => draining.abort() };
}

/** The next batch. */
async function claim(work: Work): Promise<Batch> {
  const batch = await work.claim();
  assert(batch !== undefined, "there is nothing to claim");
  return batch;
}

const blocksOf = ({ jobs }: Batch) => jobs.map(({ blockNumber }) => blockNumber);

async function prepareNext(work: Work): Promise<Batch> {
  const batch = await claim(work);
  await work.prepare(batch);
  return batch;
}

async function commit(work: Work, batch: Batch): Promise<number[]> {
  await work.prepare(batch);
  await work.commit(batch);
  return blocksOf(batch);
}

const commitOne = async (work: Work) => commit(work, await claim(work));

const statuses = async (wanted: string) =>
  Object.entries(await world.statuses()).flatMap(([block, status]) =>
    status === wanted ? [Number(block)] : [],
  );

test("while a node keeps the worker waiting, the next jobs are claimed and fetched at once, and once", async () => {
  const { chain, asked, hold, work } = await scene(8);
  // Nothing is known of the node yet.
  assert.deepEqual(await commitOne(work), [1]);
  assert.deepEqual(asked, [1]);
  const release = hold();
  const batch = await claim(work);
  await waitFor(() => asked.length === 5, { what: "as many to be asked for as there are slots" });
  assert.deepEqual(asked.toSorted(), [1, 2, 3, 4, 5]);
  assert.deepEqual(await statuses("processing"), [2, 3, 4, 5]);
  release();
  assert.deepEqual(await commit(work, batch), [2]);
  for (const block of numbers(3, 8)) assert.deepEqual(await commitOne(work), [block]);
  assert.deepEqual(asked.toSorted(), numbers(1, 8));
  await assertCanonical(world, chain, numbers(1, 8));
});

test("one batch further is claimed although the one before it fills all slots, and no more", async () => {
  const { hold, work } = await scene(4, { slots: 1 });
  await commitOne(work);
  const release = hold();
  const batch = await claim(work);
  await waitFor(async () => (await statuses("processing")).length > 1, { what: "one batch further" });
  release();
  await work.prepare(batch);
  assert.deepEqual(await statuses("processing"), [2, 3]);
});

test("where the database is slower than the node, what is prepared does not pile up", async () => {
  const { asked, work } = await scene(20);
  await commitOne(work);
  // None of them is committed.
  for (const _ of numbers(2, 7)) await prepareNext(work);
  await prepareNext(work);
  await waitFor(() => asked.includes(9), { what: "one batch further" });
  assert.deepEqual(await statuses("processing"), numbers(2, 9));
});

test("a worker that has enough to do claims nothing before its turn", async () => {
  // The node may still answer 50 times as slowly as it does.
  const { asked, work } = await scene(3, { waitMs: 0, busyMs: 1_000 });
  await commitOne(work);
  const batch = await claim(work);
  // It would be made before this is over.
  assert.deepEqual(await commit(work, batch), [2]);
  assert.deepEqual(await statuses("pending"), [3]);
  assert.deepEqual(asked, [1, 2]);
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

test("a worker that had nothing to do leaves others their part: it claims nothing before its turn", async () => {
  const { work } = await scene(4);
  await world.rows("delete from processing_jobs where block_number > 2");
  await commitOne(work);
  await commitOne(work);
  assert.equal(await work.claim(), undefined);
  await world.rows("insert into processing_jobs (block_number) values (3), (4)");
  const batch = await claim(work);
  assert.deepEqual(await commit(work, batch), [3]);
  assert.deepEqual(await statuses("pending"), [4]);
});

test("a worker that is to end claims nothing more, though what it was claiming took long", async () => {
  const { work, answer, drain, claims } = await sceneOfHeldClaim();
  const next = work.claim();
  drain();
  answer();
  assert.equal(await next, undefined);
  assert.equal(claims(), 3);
});

test("a job that saw a worker die is not held beside others, nor others beside it", async () => {
  let givenBack = 0;
  const { asked, work } = await scene(6, {
    pool: (real) =>
      intercept(real, "give_back", async (giveBack) => {
        const answer = await giveBack();
        givenBack += 1;
        return answer;
      }),
  });
  await world.rows("update processing_jobs set deaths = 1 where block_number = 5");
  await commitOne(work);
  const second = await claim(work);
  await waitFor(() => givenBack === 1, { what: "the fifth job to be given back" });
  assert.deepEqual(await statuses("processing"), [2, 3, 4]);
  assert.deepEqual(await commit(work, second), [2]);
  for (const block of [3, 4]) assert.deepEqual(await commitOne(work), [block]);
  const batch = await claim(work);
  assert(batch.mustBeAlone);
  assert.deepEqual(asked.toSorted(), numbers(1, 4));
  const [fifth] = await world.rows("select attempts, deaths from processing_jobs where block_number = 5");
  assert.deepEqual(fifth, { attempts: 1, deaths: 1 });
  assert.deepEqual(await commit(work, batch), [5]);
  assert.deepEqual(await statuses("pending"), [6]);
  assert.equal(givenBack, 1);
});

test("a job that must be alone and could not be given back is not held either: it goes back before the next claim", async () => {
  let refused = 0;
  const { asked, work } = await scene(6, {
    pool: (real) =>
      intercept(real, "give_back", () => {
        refused += 1;
        return Promise.reject(connectionLost());
      }),
  });
  await world.rows("update processing_jobs set deaths = 1 where block_number = 4");
  await commitOne(work);
  const batch = await claim(work);
  await waitFor(() => refused === 1, { what: "the fourth job to be given back" });
  assert.deepEqual(await commit(work, batch), [2]);
  for (const block of numbers(3, 6)) assert.deepEqual(await commitOne(work), [block]);
  assert.equal(refused, 1);
  const claimed = await world.rows("select claims from processing_jobs where block_number = 4");
  assert.deepEqual(claimed, [{ claims: 2 }]);
  assert.deepEqual(asked.toSorted(), numbers(1, 6));
});

test("what was begun is given back, unharmed, at the end", async () => {
  const { asked, hold, work } = await scene(6);
  await commitOne(work);
  const release = hold();
  await work.claim();
  await waitFor(() => asked.length === 5, { what: "as many to be asked for as there are slots" });
  const ended = work.giveBackRest();
  release();
  await ended;
  assert.deepEqual(await statuses("pending"), numbers(2, 6));
  const burnt = await world.rows("select from processing_jobs where status = 'pending' and attempts > 0");
  assert.equal(burnt.length, 0);
});

test("batches that fail do not make the next ones larger", async () => {
  const { chain, work } = await scene(20, { waitMs: 0, maxBatch: 16 });
  Object.assign(chain.faults[0] ?? {}, { isDown: true });
  for (let batch = 0; batch < 3; batch += 1) {
    const batch = await claim(work);
    assert.equal(batch.jobs.length, 1);
    await commit(work, batch);
  }
});

test("batches that were begun before an outage are given back together: the worker waits once for all of them", async (t) => {
  const { chain, asked, warnings, run, drain } = await scene(20);
  const ended = run();
  t.after(drain);
  await waitFor(() => asked.length > 4, { what: "several batches to be begun" });
  Object.assign(chain.faults[0] ?? {}, { isDown: true });
  await waitFor(() => warnings.length > 0, { what: "the worker to notice" });
  assert.deepEqual(warnings, ["waiting: nothing is claimed until this is over"]);
  // The last one is being given back, and the next look may have come.
  assert((await statuses("processing")).length < 3);
  Object.assign(chain.faults[0] ?? {}, { isDown: false });
  await waitFor(async () => (await statuses("completed")).length === 20, { what: "all blocks" });
  drain();
  await ended;
});

/** The third claim, which is the first before its turn, waits for `answer`. */
async function sceneOfHeldClaim() {
  let claims = 0;
  let answer = (): void => {};
  const held = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const pool = (real: pg.Pool): pg.Pool =>
    intercept(real, "claim", async (claim) => {
      claims += 1;
      if (claims === 3) await held;
      return claim();
    });
  const { work, drain } = await scene(4, { pool });
  // So that nothing is asked before a claim.
  await world.rows(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values (1, 5, 4, decode(repeat('00', 32), 'hex'), now())`,
  );
  await commitOne(work);
  assert.deepEqual(blocksOf(await claim(work)), [2]);
  assert.equal(claims, 3);
  return { work, answer, drain, claims: () => claims };
}

test("what is being claimed when the worker ends is given back", async () => {
  const { work, answer } = await sceneOfHeldClaim();
  const ended = work.giveBackRest();
  answer();
  await ended;
  assert.deepEqual(await statuses("pending"), [2, 3, 4]);
});

test("what is being claimed before its turn comes next: no other claim is made beside it", async () => {
  const { work, answer, claims } = await sceneOfHeldClaim();
  const next = work.claim();
  await setImmediate();
  assert.equal(claims(), 3);
  answer();
  assert.deepEqual(
    (await next)?.jobs.map(({ blockNumber }) => blockNumber),
    [3],
  );
});

test("claims whose answer was lost are given back, and those in hand are kept", async () => {
  let claims = 0;
  const { work } = await scene(12, {
    pool: (real) =>
      intercept(real, "claim", async (claim) => {
        claims += 1;
        const answer = await claim();
        // The second one before its turn.
        if (claims === 4) throw connectionLost();
        return answer;
      }),
  });
  await commitOne(work);
  const batch = await claim(work);
  await waitFor(async () => (await statuses("processing")).length === 3, { what: "the claim that is lost" });
  assert.deepEqual(await commit(work, batch), [2]);
  // No other was claimed before it.
  for (const block of numbers(3, 12)) assert.deepEqual(await commitOne(work), [block]);
  assert.deepEqual(await statuses("completed"), numbers(1, 12));
});

test("a worker whose host's lease does not hold claims nothing before its turn", async () => {
  const { asked, work } = await scene(4, { holds: () => false });
  await commitOne(work);
  await prepareNext(work);
  assert.deepEqual(asked, [1, 2]);
  assert.deepEqual(await statuses("pending"), [3, 4]);
});

test("a claim that was lost and made again by the same worker is given back at the end", async () => {
  const { work } = await scene(1);
  const batch = await prepareNext(work);
  await world.rows("update processing_jobs set status = 'pending'");
  assert.deepEqual(blocksOf(await claim(work)), [1]);
  // Its token does not hold any more.
  await work.commit(batch);
  assert.deepEqual(await statuses("processing"), [1]);
  await work.giveBackRest();
  assert.deepEqual(await statuses("pending"), [1]);
});

test("what is in hand at the end is given back although the database was away for a moment", async () => {
  let asked = 0;
  const { work } = await scene(1, {
    pool: (real) =>
      intercept(real, "give_back", (giveBack) => {
        asked += 1;
        return asked === 1 ? Promise.reject(connectionLost()) : giveBack();
      }),
  });
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
