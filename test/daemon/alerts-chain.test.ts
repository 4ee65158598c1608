// The alerts of the chain's surprises: a daemon that follows it, and one fault after the other.

import { test } from "node:test";
import { drive, quick } from "./alert-faults.js";
import { assertCleanStop, type Scene, setScene, until } from "./scene.js";

const stored = (scene: Scene, block: number) =>
  until(
    async () => (await scene.pool.query("select from blocks where number = $1", [block])).rowCount === 1,
    `block ${block} to be stored`,
  );

test("a deep reorg, one that is too deep, a false head and another chain are told, and over when they are", async (t) => {
  const scene = await setScene(t);
  const { node } = scene;
  const daemon = await scene.start({
    pipeline: { auto_enqueue: true, check_interval: 0.1 },
    chain: { start_block: 390, max_reorg_depth: 8, finality_depth: 8 },
    // So that the server's state is looked at every second.
    database: { old_transaction_seconds: 1 },
    alerts: {
      window_seconds: 5,
      rules: { reorg_deep: { ...quick, threshold: 2 }, false_head: { clear_seconds: 1 } },
    },
  });
  const { fires, clears, assertDriven } = drive(scene);
  await stored(scene, 400);

  await node.reorg({ depth: 3, length: 5, branch: "deep" });
  await fires("reorg_deep");
  await stored(scene, 402);
  await clears("reorg_deep");

  await node.reorg({ depth: 10, length: 12, branch: "too-deep" });
  await fires("reorg_too_deep");
  await node.switchTo("deep");
  await clears("reorg_too_deep");

  await node.setFaults({ falseHead: 1_000_400 });
  await fires("false_head");
  await node.clearFaults();
  await node.mine(3);
  await stored(scene, 405);
  await clears("false_head");

  await node.setFaults({ otherChain: 5 });
  await fires("other_chain");
  await node.clearFaults();
  await clears("other_chain");

  await assertDriven("alerts-chain", [daemon], ["reorg_deep", "reorg_too_deep", "false_head", "other_chain"]);
  await assertCleanStop(daemon, scene.pool);
});
