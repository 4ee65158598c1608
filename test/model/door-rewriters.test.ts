// Each way to change stored rows by itself: what is made of the rows follows, readers are told, and a rewriter that goes
// around the door is found out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dependents } from "../../src/pipeline/dependents.js";
import { removeStored } from "../../src/pipeline/remove-stored.js";
import { retryJobs } from "../../src/queue/by-hand.js";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { assertCanonical, followerOf, numbers, type World, workerOf } from "../orchestrator/scene.js";
import type { ScriptedChain } from "../orchestrator/scripted-chain.js";
import { countedScene, type Damage, damage, repair, useDoorWorld } from "./door-scene.js";
import { assertRecomputed } from "./made-dependents.js";

const door = useDoorWorld();
const { world } = door;

interface Rewriter {
  damaged?: [Damage, number];
  rewrite(chain: ScriptedChain, by: World): Promise<unknown>;
}

/** Each way to change stored rows, by somebody whose world is `by`. */
const rewriters: Record<string, Rewriter> = {
  "a reorg": {
    async rewrite(chain, by) {
      chain.canonical.reorg({ depth: 3, length: 4 });
      await followerOf(by, chain, { "chain.max_reorg_depth": 1_000 }).follow();
    },
  },
  "a forced block": {
    damaged: ["a value", 5],
    rewrite: (_chain, by) => enqueueSeries(by.pool, { from: 5, to: 5, force: true }),
  },
  "a retry of a stored block": {
    damaged: ["logs", 5],
    async rewrite(_chain, by) {
      await by.rows("insert into processing_jobs (block_number, status) values (5, 'failed')");
      await retryJobs(by.pool, { from: 5, to: 5 });
    },
  },
  "a repair of a wrong block": { damaged: ["a value", 5], rewrite: (_chain, by) => repair(by) },
  "a repair of a block that is gone": {
    async rewrite(_chain, by) {
      await damage(world, "every row", 5);
      await repair(by);
    },
  },
  "a repair of rows without a block": {
    async rewrite(_chain, by) {
      await damage(world, "the block's row", 5);
      await repair(by);
    },
  },
  "a removal by hand": { rewrite: (_chain, by) => removeStored(by, { from: 4, to: 8 }) },
};

for (const [name, { damaged, rewrite }] of Object.entries(rewriters)) {
  const play = async (by: World): Promise<void> => {
    const { chain } = await countedScene(world, damaged === undefined ? {} : { damaged });
    await rewrite(chain, by);
    await assertRecomputed(world.pool);
    await workerOf(by, chain, "second").finish();
    await assertRecomputed(world.pool);
  };

  test(`${name}: sums, derived rows and told steps follow`, () => play(world));

  test(`${name}: it is found out where it goes around the door`, () =>
    assert.rejects(play(door.with(dependents)), { code: "ERR_ASSERTION" }));
}

test("readers are told of a deep reorg block by block from the top down, over several transactions", async () => {
  const { chain, wanted, told } = await countedScene(world, { head: 160 });
  chain.canonical.reorg({ depth: 140, length: 141 });
  await followerOf(world, chain, wanted).follow();
  assert.deepEqual(
    await told(),
    numbers(21, 160)
      .reverse()
      .map((number) => `revert ${number}`),
  );
  await assertRecomputed(world.pool);
});

test("a block that is written again with the same rows is no news; with other rows it is", async () => {
  const { chain, told } = await countedScene(world);
  await enqueueSeries(world.pool, { from: 3, to: 6, force: true });
  await damage(world, "a value", 5);
  await workerOf(world, chain, "second").finish();
  assert.deepEqual(await told(), ["rewrite 5"]);
});

test("a removal takes blocks from the queue and the coverage, and what readers were told above them", async () => {
  const { chain, told } = await countedScene(world);
  await enqueueSeries(world.pool, { from: 6, to: 7, force: true });
  assert.equal(await removeStored(world, { from: 5, to: 8 }), 4);
  assert.deepEqual(await world.rows("select blocks::text from processing_coverage"), [
    { blocks: "{[0,5),[9,13)}" },
  ]);
  assert.deepEqual(await world.statuses(), { 6: "pending", 7: "pending" });
  assert.deepEqual(
    await told(),
    [12, 11, 10, 9, 8, 7, 6, 5].map((number) => `revert ${number}`),
  );
  await assertCanonical(world, chain, [...numbers(0, 4), ...numbers(9, 12)]);
});
