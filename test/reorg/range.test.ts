import assert from "node:assert/strict";
import { test } from "node:test";
import { startBlockmill } from "../cli/blockmill.js";
import { waitFor } from "../support/process.js";
import { reorgsUndone, setScene } from "./scene.js";

test("a reorg during a range run ends with the new branch's blocks, and the run succeeds", async (t) => {
  const scene = await setScene(t, { node: { head: 160, finalityDepth: 200 } });
  const { node } = scene;
  await node.setFaults({ latencyMs: 150 });
  const program = await startBlockmill(["range", "60", "160"], {
    BLOCKMILL_DATABASE_URL: scene.databaseUrl,
    BLOCKMILL_RPC_URLS: node.url,
    BLOCKMILL_PIPELINE_WORKERS: "2",
    BLOCKMILL_PIPELINE_CHECK_INTERVAL: "0.1",
    BLOCKMILL_PIPELINE_BATCH_SIZE: "3",
    BLOCKMILL_PIPELINE_FETCH_CONCURRENCY: "1",
    BLOCKMILL_PIPELINE_BACKOFF_SECONDS: "0.05",
  });
  t.after(() => program.kill("SIGKILL"));
  // On a busy machine the range would be over before anybody follows.
  const isFollowed = async () => (await scene.rows("select from processing_head")).length > 0;
  await waitFor(isFollowed, { what: "the head to be followed" });
  // Both hit blocks that are stored, blocks that are in hand, and blocks that nobody has claimed yet.
  await storedTo(66);
  await node.reorg({ depth: 97, length: 98 });
  await reorgsUndone(scene, 1);
  await storedTo(75);
  await node.reorg({ depth: 93, length: 95 });
  await reorgsUndone(scene, 2);
  await node.clearFaults();
  const { code, stderr } = await program.ended;
  assert.equal(code, 0, stderr);
  await scene.settled({ from: 60, to: 160 });

  async function storedTo(number: number): Promise<void> {
    const stored = async () =>
      (await scene.rows("select from blocks where number >= $1", [number])).length > 0;
    await waitFor(stored, { what: `block ${number} to be stored` });
  }
});
