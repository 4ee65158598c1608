// What endpoints may tell without anything being removed: lags, lies, and branches that part too deep.

import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "../support/process.js";
import { type Scene, setScene } from "./scene.js";

/** Resolves when the daemon has looked at every endpoint's head so often since now. */
async function looked(scene: Scene, times: number): Promise<void> {
  await scene.node.resetCounters();
  for (const [endpoint] of scene.node.urls.entries()) {
    await scene.node.waitForCalls({ endpoint, method: "eth_getBlockByNumber", count: times });
  }
}

test("a head that goes backwards, on one of two endpoints or on the only one, removes nothing", async (t) => {
  for (const ports of [1, 2]) {
    const scene = await setScene(t, { node: { ports } });
    const { node } = scene;
    const daemon = await scene.start();
    await scene.settled();
    await node.setFaults({ headLag: 6 }, 0);
    await looked(scene, 6);
    await node.setFaults({ headLag: 30 }, 0);
    await looked(scene, 6);
    assert.deepEqual(await scene.reorgs(), []);
    await scene.settled();
    await node.clearFaults();
    await node.mine(3);
    await scene.settled();
    await daemon.stop();
  }
});

test("an endpoint that tells of a branch alone is not believed, and the others are followed meanwhile", async (t) => {
  const scene = await setScene(t, { node: { ports: 2 } });
  const { node } = scene;
  const daemon = await scene.start();
  await scene.settled();
  await node.fork({ branch: "lie", depth: 4, length: 12 });
  await node.setFaults({ branch: "lie" }, 1);
  await daemon.program.line(/another branch was told of, but is not confirmed/);
  await node.mine(2);
  await scene.settled();
  assert.deepEqual(await scene.reorgs(), []);
  // It was the truth after all.
  await node.switchTo("lie");
  await scene.settled();
  const [reorg] = await scene.reorgs();
  assert.notEqual(reorg?.told_by, reorg?.confirmed_by);
});

test("a reorg deeper than max_reorg_depth stops the following and is undone by nobody, until it is over", async (t) => {
  const scene = await setScene(t);
  const { node } = scene;
  await scene.start({ chain: { max_reorg_depth: 10, finality_depth: 8 } });
  await scene.settled();
  const open = () => scene.rows("select from alerts where kind = 'reorg_too_deep' and cleared_at is null");
  await node.reorg({ depth: 15, length: 20 });
  await waitFor(async () => (await open()).length === 1, { what: "the alert" });
  await looked(scene, 10);
  assert.deepEqual(await scene.reorgs(), []);
  const jobs = await scene.rows<{ count: string }>("select count(*) from processing_jobs");
  assert.equal(Number(jobs[0]?.count), 41);
  await node.switchTo("main");
  await scene.settled();
  await waitFor(async () => (await open()).length === 0, { what: "the alert to be cleared" });
  await node.mine(2);
  await scene.settled();
});
