// Blocks of a branch that was dropped: those that were being fetched or asked for, and those that were stored.

import assert from "node:assert/strict";
import { test } from "node:test";
import { topUpRanges } from "../../src/queue/ranges.js";
import { brokenLinks } from "../reorg/expected-rows.js";
import {
  assertCanonical,
  followerOf,
  forgetBlock,
  numbers,
  reorgsOf,
  storedScene,
  useWorld,
  workerOf,
} from "./scene.js";
import { scriptChain } from "./scripted-chain.js";

const world = useWorld();

test("a block that was fetched by its hash before the reorg is not committed after it", async () => {
  const { chain, follow, worker } = await storedScene(world);
  const late = workerOf(world, chain, "b/w1");
  chain.canonical.mine(3);
  await follow();
  const batch = await late.prepare();
  chain.canonical.reorg({ depth: 2, length: 3 });
  await follow();
  const { completed, lost } = await late.commit(batch);
  assert.deepEqual([batch.prepared.length, completed, lost], [3, 1, 2]);
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 44));
});

test("nor is one that was fetched by its number, though nothing of the dropped branch is stored", async () => {
  const chain = scriptChain({ head: 43 });
  const { follow } = followerOf(world, chain, { "pipeline.auto_enqueue": false });
  const [worker, late] = [workerOf(world, chain), workerOf(world, chain, "b/w1")];
  await follow();
  await world.pool.query("insert into processing_jobs (block_number) select generate_series(39, 43)");
  const batch = await late.prepare();
  chain.canonical.reorg({ depth: 3, length: 2 });
  await follow();
  const { completed, lost } = await late.commit(batch);
  assert.deepEqual([batch.prepared.length, completed, lost], [5, 2, 3]);
  await worker.finish();
  await assertCanonical(world, chain, numbers(39, 42));
});

test("nor when the reorg is deeper than the final window", async () => {
  const chain = scriptChain({ head: 40 });
  const { follow } = followerOf(world, chain, {
    "pipeline.auto_enqueue": false,
    "chain.finality_depth": 2,
    "chain.max_reorg_depth": 20,
  });
  const [worker, late] = [workerOf(world, chain), workerOf(world, chain, "b/w1")];
  await follow();
  await world.pool.query("insert into processing_jobs (block_number) select generate_series(30, 40)");
  const batch = await late.prepare();
  chain.canonical.reorg({ depth: 8, length: 9 });
  await follow();
  assert.equal((await late.commit(batch)).lost, 11);
  await worker.finish();
  await assertCanonical(world, chain, numbers(30, 40));
});

test("a claim of a dropped block never settles the next claim of that block by the same worker", async () => {
  const { chain, follow, worker } = await storedScene(world);
  chain.canonical.mine(1);
  await follow();
  const old = await worker.prepare();
  chain.canonical.reorg({ depth: 1, length: 1 });
  await follow();
  const fresh = await worker.prepare();
  assert.deepEqual([old.prepared.length, fresh.prepared.length], [1, 1]);
  assert.equal((await worker.commit(old)).lost, 1);
  await assertCanonical(world, chain, numbers(0, 40));
  assert.equal((await worker.commit(fresh)).completed, 1);
  await assertCanonical(world, chain, numbers(0, 41));
});

test("a stale block that a lagging node served by number after the reorg is found by looking again", async () => {
  const { chain, follow, worker } = await storedScene(world, { endpoints: 2 });
  await forgetBlock(world, 38);
  chain.canonical.reorg({ depth: 3, length: 3, branch: "new" });
  await follow();
  // Nobody asked for 38 on the new branch. A person does, and the node that answers lags.
  await world.pool.query("insert into processing_jobs (block_number, priority) values (38, 1000)");
  chain.faults[0] = { branch: "main" };
  chain.faults[1] = { branch: "main" };
  const batch = await worker.prepare(1);
  assert.equal(batch.prepared.length, 1);
  await worker.commit(batch);
  chain.faults.fill({});
  assert.deepEqual(await follow(), { kind: "enqueued", blocks: 0 });
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 40));
  assert.deepEqual(await follow(), { kind: "known" });
});

test("jobs that asked for a dropped branch while nobody followed ask for what is canonical now", async () => {
  const { chain, follow, worker } = await storedScene(world);
  chain.canonical.mine(5);
  await follow();
  chain.canonical.reorg({ depth: 3, length: 300 });
  chain.faults[0] = { forgetsOrphans: true };
  const next = followerOf(world, chain);
  await next.follow();
  await topUpRanges(world.pool, 10_000);
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 342));
});

test("a reorg that happened while nobody followed, long ago, is found at the next start", async () => {
  const { chain, worker } = await storedScene(world);
  chain.canonical.reorg({ depth: 6, length: 400 });
  const next = followerOf(world, chain);
  await next.follow();
  assert.deepEqual(
    (await reorgsOf(world)).map(({ fork_block, depth, old_head, new_head }) => [
      fork_block,
      depth,
      old_head,
      new_head,
    ]),
    [[34, 6, 40, 434]],
  );
  await topUpRanges(world.pool, 10_000);
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 434));
});

test("a stale block is found though it became final between two looks", async () => {
  const chain = scriptChain({ head: 20, transactions: 0 });
  const { follow } = followerOf(world, chain, { "pipeline.auto_enqueue": false, "chain.finality_depth": 4 });
  const worker = workerOf(world, chain);
  await world.pool.query("insert into processing_jobs (block_number) values (20)");
  const batch = await worker.prepare();
  chain.canonical.reorg({ depth: 1, length: 1 });
  await follow();
  await worker.commit(batch);
  chain.canonical.mine(5);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, [20]);
});

test("a stale block behind a hole, below the window, is found at the next start", async () => {
  const chain = scriptChain({ head: 40, transactions: 0 });
  const wanted = { "pipeline.auto_enqueue": false, "chain.finality_depth": 2 };
  const worker = workerOf(world, chain);
  await world.pool.query("insert into processing_jobs (block_number) values (33), (34)");
  await worker.finish();
  chain.canonical.reorg({ depth: 10, length: 12 });
  await world.pool.query("insert into processing_jobs (block_number) values (30), (36), (37)");
  await worker.finish();
  await followerOf(world, chain, wanted).follow();
  await worker.finish();
  await assertCanonical(world, chain, [30, 33, 34, 36, 37]);
});

test("a stale block below the window, of a branch that nobody told of, is found by the child that does not link", async () => {
  const chain = scriptChain({ head: 20, transactions: 1 });
  const { follow } = followerOf(world, chain, { "chain.finality_depth": 2 });
  const worker = workerOf(world, chain);
  await follow();
  // The newest ten blocks come first: 11 to 16, of which only the last is another branch's.
  chain.canonical.reorg({ depth: 5, length: 1 });
  const batch = await worker.prepare(6);
  chain.canonical.switchTo("main");
  assert.equal((await worker.commit(batch)).completed, 6);
  const { completed, failed } = await worker.commit(await worker.prepare());
  assert.deepEqual([completed, failed], [14, 1]);
  const [failure] = await world.rows("select block_number, class from processing_failures");
  assert.deepEqual(failure, { block_number: 17, class: "unlinked" });
  // Nothing new is told of.
  assert.equal((await follow()).kind, "enqueued");
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 20));
  assert.equal((await follow()).kind, "known");
});

test("blocks of two branches that nodes serve by number never stand beside each other", async () => {
  const chain = scriptChain({ head: 40, endpoints: 2 });
  const { follow } = followerOf(world, chain, { "pipeline.auto_enqueue": false });
  const [worker, other] = [workerOf(world, chain), workerOf(world, chain, "b/w1")];
  await follow();
  await world.pool.query("insert into processing_jobs (block_number) select generate_series(30, 40)");
  const batch = await worker.prepare(5);
  chain.canonical.reorg({ depth: 12, length: 12 });
  // The follower has not seen it yet.
  const more = await other.prepare(6);
  await Promise.all([worker.commit(batch), other.commit(more)]);
  assert.deepEqual(await world.rows(brokenLinks), []);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(30, 40));
});
