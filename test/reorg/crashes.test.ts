// Reorgs while the daemon is down, and deaths in the middle of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Daemon } from "../support/daemon.js";
import { waitFor } from "../support/process.js";
import { assertNeverWritten, reorgsUndone, setScene } from "./scene.js";

/** Kills every process of a daemon at once, as the end of its host would. */
async function killAll(daemon: Daemon): Promise<void> {
  const pids = daemon.pids();
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await daemon.program.exit;
}

test("a reorg while the daemon was down is undone at its start, before anything new is committed", async (t) => {
  const scene = await setScene(t);
  const { node } = scene;
  const first = await scene.start();
  await scene.settled();
  // Jobs that ask for blocks of a branch which is dropped before they run.
  await node.setFaults({ hang: ["eth_getBlockReceipts"] });
  const { number } = await node.mine(4);
  await waitFor(
    async () => (await scene.rows("select from processing_jobs where status = 'processing'")).length > 0,
    { what: "the new blocks to be claimed" },
  );
  await killAll(first);
  await node.clearFaults();
  const dropped = (await node.canonical(number - 5, number)).map(({ hash }) => hash);
  await node.reorg({ depth: 6, length: 8 });
  await scene.written();
  await scene.start();
  await scene.settled();
  await assertNeverWritten(scene, dropped);
  const [reorg] = await scene.reorgs();
  assert.deepEqual([reorg?.fork_block, reorg?.depth, reorg?.old_head], [number - 6, 2, number]);
});

test("a reorg below the final window, while the daemon was down for long, is found at its start", async (t) => {
  const scene = await setScene(t, { node: { transactions: 1 } });
  const { node } = scene;
  const config = { chain: { finality_depth: 8, max_reorg_depth: 40 } };
  const first = await scene.start(config);
  await scene.settled();
  await first.stop();
  await node.reorg({ depth: 20, length: 150 });
  await scene.start(config);
  await scene.settled();
  const [reorg] = await scene.reorgs();
  assert.deepEqual([reorg?.fork_block, reorg?.depth, reorg?.old_head, reorg?.new_head], [20, 20, 40, 170]);
});

test("orchestrators and workers that are killed in the middle of reorgs leave nothing of the old branches", async (t) => {
  const scene = await setScene(t);
  const { node } = scene;
  const daemon = await scene.start();
  await scene.settled();
  for (const [depth, victim] of [
    [5, "orchestrator"],
    [12, "worker"],
    [30, "orchestrator"],
    [8, "worker"],
  ] as const) {
    const known = (await scene.reorgs()).length;
    await node.setFaults({ latencyMs: 15 });
    await node.reorg({ depth, length: depth + 1 });
    // The orchestrator dies before it has undone it; a worker while it stores the new branch.
    if (victim === "worker") await reorgsUndone(scene, known + 1);
    const target = victim === "worker" ? daemon.workers()[0] : daemon.orchestrator();
    if (target !== undefined) process.kill(target.pid, "SIGKILL");
    await node.clearFaults();
    await scene.settled();
  }
});

test("a daemon that is killed as a whole in the middle of a reorg goes on with it", async (t) => {
  const scene = await setScene(t);
  const { node } = scene;
  let daemon = await scene.start();
  await scene.settled();
  for (const undoneFirst of [false, true]) {
    const known = (await scene.reorgs()).length;
    await node.reorg({ depth: 10, length: 4 });
    if (undoneFirst) await reorgsUndone(scene, known + 1);
    await killAll(daemon);
    await node.mine(8);
    daemon = await scene.start();
    await scene.settled();
  }
});
