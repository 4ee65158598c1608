// A head far above the chain's that an endpoint makes up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCleanStop, numbers, type Scene, setScene, until } from "./scene.js";

const follows = { pipeline: { auto_enqueue: true, check_interval: 0.1 }, chain: { start_block: 380 } };
const ahead = [1_000, 1_000_000_000];

const nextBlock = async ({ pool }: Scene) =>
  (await pool.query("select next_block::float8 as n from processing_head")).rows[0]?.n as number | undefined;
const stored = (scene: Scene, block: number) =>
  until(
    async () => (await scene.pool.query("select from blocks where number = $1", [block])).rowCount === 1,
    `block ${block} to be stored`,
  );
const storedAll = (scene: Scene, blocks: number) =>
  until(
    async () => (await scene.pool.query("select from blocks")).rowCount === blocks,
    `${blocks} blocks to be stored`,
  );
const openAlert = async ({ pool }: Scene) =>
  (await pool.query("select message from alerts where kind = 'false_head'")).rows[0]?.message as
    | string
    | undefined;

for (const blocks of ahead) {
  test(`a head ${blocks} blocks ahead that only one of two endpoints tells of is not followed, and an alert names it`, async (t) => {
    const scene = await setScene(t, { node: { ports: 2 } });
    const daemon = await scene.start(follows);
    await stored(scene, 400);
    await scene.node.setFaults({ falseHead: 400 + blocks }, 0);
    await until(async () => (await openAlert(scene)) !== undefined, "the alert");
    const liar = new URL(scene.node.url).host;
    assert.match((await openAlert(scene)) ?? "", new RegExp(`^${liar} tells of head ${400 + blocks}\\.`));
    // The liar goes on; the chain is followed all the same.
    await scene.node.mine(5);
    await stored(scene, 405);
    assert.equal(await nextBlock(scene), 406);
    await scene.node.clearFaults(0);
    await scene.node.mine(5);
    await storedAll(scene, 31);
    await scene.assertWrittenOnce(numbers(380, 410));
    await assertCleanStop(daemon, scene.pool);
  });

  test(`a head ${blocks} blocks ahead of the only endpoint is taken back when it proves false, and nothing is skipped`, async (t) => {
    const scene = await setScene(t);
    const daemon = await scene.start(follows);
    await stored(scene, 400);
    await scene.node.setFaults({ falseHead: 400 + blocks });
    await until(async () => (await nextBlock(scene)) === 401 + blocks, "the false head to be believed");
    await scene.node.clearFaults();
    await scene.node.mine(3);
    await stored(scene, 403);
    assert.equal(await nextBlock(scene), 404);
    assert.match((await openAlert(scene)) ?? "", /proved false/);
    await scene.node.mine(3);
    await stored(scene, 406);
    await storedAll(scene, 27);
    await scene.assertWrittenOnce(numbers(380, 406));
    await assertCleanStop(daemon, scene.pool);
  });
}

test("a head that proved false while nobody followed is taken back by whoever follows next", async (t) => {
  const scene = await setScene(t);
  const first = await scene.start(follows);
  await stored(scene, 400);
  await scene.node.setFaults({ falseHead: 1_000_400 });
  await until(async () => (await nextBlock(scene)) === 1_000_401, "the false head to be believed");
  await first.stop();
  await scene.node.clearFaults();
  await scene.node.mine(3);
  const second = await scene.start(follows);
  await stored(scene, 403);
  assert.equal(await nextBlock(scene), 404);
  await assertCleanStop(second, scene.pool);
});
