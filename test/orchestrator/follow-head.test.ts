// Which branch is followed: heads of every kind, and whose word is believed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readHead } from "../../src/queue/head.js";
import { openRange, topUpRanges } from "../../src/queue/ranges.js";
import { waitFor } from "../support/process.js";
import {
  archiveAll,
  assertCanonical,
  followerOf,
  numbers,
  reorgsOf,
  storedScene,
  useWorld,
  workerOf,
} from "./scene.js";
import { scriptChain } from "./scripted-chain.js";

const world = useWorld();
const alerts = () => world.rows("select kind, cleared_at is null as open from alerts order by id");

for (const depth of [1, 2, 5, 30]) {
  test(`a reorg of depth ${depth} removes exactly the dropped blocks and stores the new ones`, async () => {
    const { chain, follow, worker } = await storedScene(world);
    chain.canonical.reorg({ depth, length: depth + 1 });
    assert.deepEqual(await follow(), { kind: "enqueued", blocks: 1 });
    assert.deepEqual(await reorgsOf(world), [
      {
        fork_block: 40 - depth,
        depth,
        old_head: 40,
        new_head: 41,
        told_by: "node-0",
        confirmed_by: "node-0",
      },
    ]);
    // What is left right after the revert is what both branches have.
    await assertCanonical(world, chain, numbers(0, 40 - depth));
    await worker.finish();
    await assertCanonical(world, chain, numbers(0, 41));
  });
}

test("from a branch to another and back, each block is of the branch of the moment", async () => {
  const { chain, follow, worker } = await storedScene(world);
  const { branch } = chain.canonical.reorg({ depth: 5, length: 6 });
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 41));
  chain.canonical.switchTo("main");
  chain.canonical.mine(2);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
  chain.canonical.switchTo(branch);
  chain.canonical.mine(2);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 43));
  assert.equal((await reorgsOf(world)).length, 3);
});

test("a shorter branch suspends the jobs above it, and they run when it has grown to their height", async () => {
  const { chain, follow, worker } = await storedScene(world);
  chain.canonical.reorg({ depth: 5, length: 2 });
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 37));
  const statuses = await world.statuses();
  assert.deepEqual([statuses[37], statuses[38], statuses[40]], ["completed", "scheduled", "scheduled"]);
  for (const [mined, head] of [
    [1, 38],
    [5, 43],
  ] as const) {
    chain.canonical.mine(mined);
    await follow();
    await worker.finish();
    await assertCanonical(world, chain, numbers(0, head));
  }
});

test("a shorter branch that gives way to the old one again wakes what it suspended", async () => {
  const { chain, follow, worker } = await storedScene(world);
  chain.canonical.reorg({ depth: 5, length: 2 });
  await follow();
  chain.canonical.switchTo("main");
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 40));
});

test("a shorter branch suspends jobs above it though nothing that it has itself is stored or asked for by hash", async () => {
  const chain = scriptChain({ head: 20, transactions: 0 });
  const { follow } = followerOf(world, chain, { "chain.finality_depth": 2, "chain.max_reorg_depth": 50 });
  const worker = workerOf(world, chain);
  chain.canonical.reorg({ depth: 1, length: 5 });
  await follow();
  // 24 and 23 are asked for by hash, 22 by number.
  chain.canonical.switchTo("main");
  chain.canonical.setHead(22);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 22));
  chain.canonical.mine(4);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 26));
});

test("with auto_enqueue off, a shorter branch's suspended jobs run all the same, archived ones too", async () => {
  const chain = scriptChain({ head: 40 });
  const { follow } = followerOf(world, chain, { "pipeline.auto_enqueue": false });
  const worker = workerOf(world, chain);
  await openRange(world.pool, { from: 20, to: 40 });
  await follow();
  await topUpRanges(world.pool, 100);
  await worker.finish();
  await archiveAll(world);
  chain.canonical.reorg({ depth: 8, length: 3 });
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(20, 35));
  chain.canonical.mine(10);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(20, 40));
});

/**
 * Two leaders on the way back from branch B to A: the old one is held up as it asks again for A's block above the
 * fork, before the newest block of A is there, which the new one follows.
 */
async function overlappingLeaders({ signal }: { signal?: AbortSignal } = {}) {
  const { chain, follow, worker } = await storedScene(world);
  chain.canonical.reorg({ depth: 4, length: 5 });
  await follow();
  await worker.finish();
  const old = followerOf(world, chain, {}, signal);
  await old.follow();
  chain.canonical.switchTo("main");
  const { promise, resolve } = gate();
  let isHeldUp = false;
  chain.beforeAnswer = async ({ method, params }) => {
    if (isHeldUp || method !== "eth_getBlockByNumber" || Number(params[0]) !== 37) return;
    isHeldUp = true;
    await promise;
  };
  const outcome = old.follow();
  outcome.catch(() => {});
  await waitFor(() => isHeldUp, { what: "the old leader to ask" });
  chain.canonical.mine(2);
  await follow();
  return { chain, follow, worker, outcome, goOn: resolve };
}

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test("what a leader whose time was over suspends runs again, though the head stands still", async () => {
  const { chain, follow, worker, outcome, goOn } = await overlappingLeaders();
  goOn();
  await outcome;
  const suspended = await world.rows("select from processing_jobs where run_at = 'infinity'");
  assert.equal(suspended.length, 2);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
  assert.equal((await follow()).kind, "known");
});

test("a leader that is told that its time is over changes nothing", async () => {
  const over = new AbortController();
  const { chain, worker, outcome, goOn } = await overlappingLeaders({ signal: over.signal });
  over.abort();
  goOn();
  await assert.rejects(outcome, { name: "AbortError" });
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("an alert of an earlier leader is cleared by one that finds all well", async () => {
  const { chain } = await storedScene(world);
  await world.pool.query("insert into alerts (kind, message) values ('reorg_too_deep', 'of yesterday')");
  const next = followerOf(world, chain);
  await next.follow();
  assert.deepEqual(await alerts(), [{ kind: "reorg_too_deep", open: false }]);
});

test("a head that goes backwards is no reorg", async () => {
  const { chain, follow, worker } = await storedScene(world);
  for (const head of [39, 20, 40]) {
    chain.canonical.setHead(head);
    assert.deepEqual(await follow(), { kind: "known" });
  }
  assert.deepEqual(await reorgsOf(world), []);
  chain.canonical.setHead(42);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a leader whose first head is that of a lagging node removes nothing", async () => {
  const { chain } = await storedScene(world, { endpoints: 2 });
  chain.faults[0] = { headLag: 7 };
  const next = followerOf(world, chain);
  await next.follow(0);
  await next.follow(1);
  assert.deepEqual(await reorgsOf(world), []);
  await assertCanonical(world, chain, numbers(0, 40));
  assert.equal((await readHead(world.pool))?.nextBlock, 41);
});

test("an endpoint that tells of a branch alone is not believed; with a second one it is", async () => {
  const { chain, follow, worker } = await storedScene(world, { endpoints: 2 });
  chain.canonical.fork({ branch: "lie", depth: 3, length: 5 });
  chain.faults[1] = { branch: "lie" };
  assert.deepEqual(await follow(1), { kind: "unconfirmed" });
  assert.deepEqual(await reorgsOf(world), []);
  await assertCanonical(world, chain, numbers(0, 40));
  // The others go on meanwhile.
  chain.canonical.mine(1);
  assert.deepEqual(await follow(0), { kind: "enqueued", blocks: 1 });
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 41));
  chain.canonical.switchTo("lie");
  assert.deepEqual(await follow(1), { kind: "enqueued", blocks: 1 });
  assert.deepEqual(
    (await reorgsOf(world)).map(({ told_by, confirmed_by }) => [told_by, confirmed_by]),
    [["node-1", "node-0"]],
  );
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a lie that is deeper than max_reorg_depth raises no alert while another endpoint contradicts", async () => {
  const { chain, follow } = await storedScene(world, {
    endpoints: 2,
    wanted: { "chain.max_reorg_depth": 10, "chain.finality_depth": 8 },
  });
  chain.canonical.fork({ branch: "lie", depth: 30, length: 31 });
  chain.faults[1] = { branch: "lie" };
  assert.deepEqual(await follow(1), { kind: "unconfirmed" });
  assert.deepEqual(await alerts(), []);
});

test("what a person cancelled stays cancelled, and what failed runs again on the new branch", async () => {
  const { chain, follow, worker } = await storedScene(world);
  chain.canonical.mine(3);
  await follow();
  await world.pool.query("update processing_jobs set status = 'cancelled' where block_number = 41");
  await world.pool.query(
    "update processing_jobs set status = 'failed', attempts = 3 where block_number = 42",
  );
  chain.canonical.reorg({ depth: 4, length: 5 });
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, [...numbers(0, 40), 42, 43, 44]);
  assert.equal((await world.statuses())[41], "cancelled");
});

test("blocks whose suspended jobs a person deleted are enqueued anew when the head gets there", async () => {
  const { chain, follow, worker } = await storedScene(world);
  chain.canonical.reorg({ depth: 5, length: 2 });
  await follow();
  await world.pool.query("delete from processing_jobs where status = 'scheduled'");
  chain.canonical.mine(5);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});
