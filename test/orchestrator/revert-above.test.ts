// One revert by itself. What leads to it, and what cuts it short, is in undo-reorgs.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchHeaderByNumber } from "../../src/chain/endpoint/fetch-head.js";
import type { Head } from "../../src/chain/parse/parse-head.js";
import { type Revert, revertAbove } from "../../src/orchestrator/revert-above.js";
import { readHead } from "../../src/queue/head.js";
import { assertCanonical, numbers, reorgsOf, storedScene, useWorld, workerOf } from "./scene.js";
import type { ScriptedChain } from "./scripted-chain.js";

const world = useWorld();

/** The revert of blocks 36 to 40, for as many of the chain's as there are now. */
async function revertOf(chain: ScriptedChain, head: number): Promise<Revert> {
  const [endpoint] = chain.endpoints.all;
  assert(endpoint !== undefined);
  const headers = await Promise.all(numbers(36, head).map((number) => fetchHeaderByNumber(endpoint, number)));
  const oldHash = chain.raw(36, "main").hash;
  return {
    schema: "public",
    forkBlock: 35,
    branch: headers as [Head, ...Head[]],
    oldHead: 40,
    oldHash,
    toldBy: "node-0",
    confirmedBy: "node-1",
  };
}

test("the rows above the fork go, their jobs want the new branch, and the reorg is told", async () => {
  const { chain, worker } = await storedScene(world);
  chain.canonical.reorg({ depth: 5, length: 7 });
  const revert = await revertOf(chain, 42);
  const removed = await revertAbove(world, revert);
  assert.equal(removed?.blocks, 5);
  await assertCanonical(world, chain, numbers(0, 35));
  const jobs = await world.rows<{ hash: string; status: string }>(
    `select status, '0x' || encode(block_hash, 'hex') as hash from processing_jobs where block_number > 35
     order by block_number`,
  );
  assert.deepEqual(
    jobs,
    revert.branch.slice(0, 5).map(({ hash }) => ({ status: "pending", hash })),
    "those that were stored; what comes above them is enqueued as new blocks are",
  );
  assert.deepEqual(await reorgsOf(world), [
    { fork_block: 35, depth: 5, old_head: 40, new_head: 42, told_by: "node-0", confirmed_by: "node-1" },
  ]);
  assert.deepEqual(await world.rows("select rows_removed from reorgs"), [{ rows_removed: removed }]);
  assert.equal((await readHead(world.pool))?.nextBlock, 41, "41 and 42 are not enqueued yet");
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 40));
});

test("a shorter branch suspends the jobs above it", async () => {
  const { chain } = await storedScene(world);
  chain.canonical.reorg({ depth: 5, length: 2 });
  await revertAbove(world, await revertOf(chain, 37));
  assert.deepEqual(
    await world.rows("select block_number from processing_jobs where suspended order by block_number"),
    [38, 39, 40].map((block_number) => ({ block_number })),
  );
});

test("what another leader has undone already is undone once", async () => {
  const { chain, worker } = await storedScene(world);
  chain.canonical.reorg({ depth: 5, length: 7 });
  const revert = await revertOf(chain, 42);
  await revertAbove(world, revert);
  assert.equal(await revertAbove(world, revert), null);
  await worker.finish();
  assert.equal(await revertAbove(world, revert), null);
  assert.equal((await reorgsOf(world)).length, 1);
  await assertCanonical(world, chain, numbers(0, 40));
});

test("a claim of a block above the fork loses its token: what it fetched is not stored", async () => {
  const { chain } = await storedScene(world);
  await world.pool.query("update processing_jobs set status = 'pending' where block_number = 38");
  const worker = workerOf(world, chain, "b/w1");
  const batch = await worker.prepare();
  assert.equal(batch.prepared.length, 1);
  chain.canonical.reorg({ depth: 5, length: 7 });
  await revertAbove(world, await revertOf(chain, 42));
  assert.equal((await worker.commit(batch)).completed, 0);
  await assertCanonical(world, chain, numbers(0, 35));
});
