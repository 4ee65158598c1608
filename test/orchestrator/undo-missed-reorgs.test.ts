// What happened to the chain while nobody followed it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { undoMissedReorgs } from "../../src/orchestrator/undo-missed-reorgs.js";
import { assertCanonical, configOf, numbers, reorgsOf, silent, storedScene, useWorld } from "./scene.js";
import { type ScriptedChain, scriptChain } from "./scripted-chain.js";

const world = useWorld();

const undo = ({ endpoints }: ScriptedChain) =>
  undoMissedReorgs({
    pool: world.pool,
    dependents: world.dependents,
    endpoints,
    config: configOf({ "chain.start_block": 0 }),
    log: silent,
    confirm: { secondThoughtMs: 0, stalledAfterMs: 30_000 },
  });

test("a schema that never followed a chain asks no endpoint", async () => {
  const chain = scriptChain({ head: 20 });
  chain.beforeAnswer = () => assert.fail("it asked");
  await undo(chain);
  assert.deepEqual(await world.statuses(), {});
});

test("a reorg that was missed is undone, and new blocks are enqueued", async () => {
  const { chain, worker } = await storedScene(world);
  chain.canonical.reorg({ depth: 3, length: 5 });
  await undo(chain);
  assert.deepEqual(
    (await reorgsOf(world)).map(({ fork_block, new_head }) => [fork_block, new_head]),
    [[37, 42]],
  );
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

/** Two endpoints, of which the first stands alone on another branch. */
async function contested() {
  const { chain } = await storedScene(world, { endpoints: 2 });
  chain.canonical.fork({ branch: "other", depth: 3, length: 4 });
  chain.faults[0] = { branch: "other" };
  let heads = 0;
  // The first is asked for the head each time.
  const { tryEach } = chain.endpoints;
  chain.endpoints.tryEach = (work, options = {}) => {
    if (options.except !== undefined) return tryEach(work, options);
    heads += 1;
    if (heads === 3) chain.faults[1] = confirms ? { branch: "other" } : {};
    return tryEach(work, { ...options, except: ["node-1"] });
  };
  let confirms = false;
  return {
    chain,
    heads: () => heads,
    confirmAtThird: () => {
      confirms = true;
    },
  };
}

test("a branch that two endpoints do not agree on is looked at five times, and changes nothing", async () => {
  const { chain, heads } = await contested();
  await undo(chain);
  assert.equal(heads(), 5);
  assert.deepEqual(await reorgsOf(world), []);
});

test("a branch that is confirmed at a later look is undone then", async () => {
  const { chain, heads, confirmAtThird } = await contested();
  confirmAtThird();
  await undo(chain);
  assert.equal(heads(), 3);
  assert.deepEqual(
    (await reorgsOf(world)).map(({ fork_block, confirmed_by }) => [fork_block, confirmed_by]),
    [[37, "node-1"]],
  );
});
