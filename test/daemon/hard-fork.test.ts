// A hard fork that this version does not know: its blocks' hashes cover a field more.

import assert from "node:assert/strict";
import { test } from "node:test";
import { drive, isOpen } from "./alert-faults.js";
import { assertCleanStop, type Scene, setScene, until } from "./scene.js";

const follows = { pipeline: { auto_enqueue: true, check_interval: 0.1 }, chain: { start_block: 398 } };

const stored = (scene: Scene, block: number) =>
  until(
    async () => (await scene.pool.query("select from blocks where number = $1", [block])).rowCount === 1,
    `block ${block} to be stored`,
  );
const failed = (scene: Scene, block: number) =>
  until(
    async () => (await scene.jobs()).some((job) => job.block_number === block && job.status === "failed"),
    `block ${block} to fail`,
  );

test("an unknown hard fork is named with what to do, three heads of it are an alert, and a stored head clears it", async (t) => {
  const scene = await setScene(t, { node: { eras: { unknown: 401 } } });
  const daemon = await scene.start(follows);
  await stored(scene, 400);
  await scene.node.mine();
  await failed(scene, 401);
  const [job] = (await scene.jobs()).filter(({ block_number }) => block_number === 401);
  assert.match(
    job?.last_error ?? "",
    /hash: expected 0x[0-9a-f]{64}, got 0x[0-9a-f]{64}\. Its header has fields that this version does not know \(unknownRoot\): after a hard fork upgrade blockmill, or set chain\.verify/,
  );
  await scene.node.mine();
  await failed(scene, 402);
  assert.equal(await isOpen(scene, "head_failures"), false, "two heads are not three");
  await scene.node.mine();
  const { fires, clears, assertDriven } = drive(scene);
  await fires("head_failures");
  await daemon.stop();

  const second = await scene.start({ ...follows, chain: { ...follows.chain, verify: "bloom" } });
  await scene.node.mine();
  await stored(scene, 404);
  await clears("head_failures");
  await assertDriven("hard-fork", [daemon, second], ["head_failures"]);
  await assertCleanStop(second, scene.pool);
});
