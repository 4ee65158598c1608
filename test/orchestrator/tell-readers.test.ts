import assert from "node:assert/strict";
import { test } from "node:test";
import { createDuties } from "../../src/orchestrator/duties.js";
import { createTellReaders } from "../../src/orchestrator/tell-readers.js";
import { readAs } from "../feed/scene.js";
import { configOf, followerOf, silent, useWorld, workerOf } from "./scene.js";
import { scriptChain } from "./scripted-chain.js";

const world = useWorld();
const told = async () => (await world.rows("select number::int from chain_changes order by id")).length;

test("a leader tells what is stored, looks again soon after a block and seldom without, and removes what all have passed", async () => {
  await world.pool.query("select stop_feed()");
  const config = configOf({ "feed.enabled": true, "feed.from": 0 });
  const duty = createTellReaders({ pool: world.pool, config });
  assert.equal(await duty.run(), 1_000);
  assert.deepEqual(await world.rows("select feed from processing_coverage"), [{ feed: true }]);

  const chain = scriptChain({ head: 8, transactions: 1 });
  await followerOf(world, chain).follow();
  await workerOf(world, chain).finish();
  assert.equal(await duty.run(), 50);
  assert.equal(await told(), 9);

  await world.pool.query("select start_reader('mine', 0)");
  await readAs(world.pool, "mine", 100);
  // A successor in the lead, who looks at once.
  await createTellReaders({ pool: world.pool, config }).run();
  assert.equal(await told(), 0);
});

test("only where feed.enabled is set does a leader tell anybody", () => {
  const names = (wanted: Record<string, unknown>) =>
    createDuties({
      pool: world.pool,
      config: configOf(wanted),
      log: silent,
      ownSupervisor: () => undefined,
      reconnectedAt: undefined,
    }).map(({ name }) => name);
  assert(!names({}).includes("tell readers"));
  assert(names({ "feed.enabled": true }).includes("tell readers"));
});
