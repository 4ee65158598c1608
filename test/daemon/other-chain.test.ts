// Another chain that a node serves behind the same URL, after every connection was made again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCleanStop, numbers, type Scene, setScene, until } from "./scene.js";

const follows = { pipeline: { auto_enqueue: true, check_interval: 0.1 }, chain: { start_block: 380 } };

const stored = (scene: Scene, block: number) =>
  until(
    async () => (await scene.pool.query("select from blocks where number = $1", [block])).rowCount === 1,
    `block ${block} to be stored`,
  );
const alerts = async ({ pool }: Scene) =>
  (await pool.query("select message from alerts where kind = 'other_chain' and cleared_at is null")).rows as {
    message: string;
  }[];

/** Asserts that all that is stored is of the honest chain, and that every one of these blocks is. */
async function assertHonest(scene: Scene, from: number, to: number): Promise<void> {
  const honest = await scene.node.canonical(from, to);
  const { rows } = await scene.pool.query(
    "select number::int, '0x' || encode(hash, 'hex') as hash from blocks order by number",
  );
  assert.deepEqual(
    rows,
    honest.map(({ number, hash }) => ({ number, hash })),
  );
}

for (const scheme of ["http", "ws"] as const) {
  test(`over ${scheme}, a node that serves another chain after a reconnect is not believed, and is used again when it is back`, async (t) => {
    const scene = await setScene(t);
    const daemon = await scene.start({
      ...follows,
      rpc: { urls: scheme === "ws" ? scene.node.wsUrls : scene.node.urls },
    });
    await stored(scene, 400);
    await scene.node.setFaults({ otherChain: 5 });
    // Below its head, and above: jobs of people, which are asked for by number, and new heads.
    await scene.insert(100, 120);
    await scene.node.mine(5);
    await until(async () => (await alerts(scene)).length === 1, "the alert");
    const [alert] = await alerts(scene);
    assert.match(alert?.message ?? "", /serves chain 5 now, and served chain 1 before/);
    await scene.node.clearFaults();
    await scene.node.mine(5);
    await scene.settled();
    await stored(scene, 410);
    await scene.settled();
    const { rows } = await scene.pool.query(
      "select number from blocks where number not between 100 and 120 and number not between 380 and 410",
    );
    assert.deepEqual(rows, []);
    const jobs = await scene.jobs();
    assert.deepEqual(
      jobs.filter(({ attempts }) => attempts !== 1).map(({ block_number }) => block_number),
      [],
      "no attempt is lost",
    );
    await scene.pool.query("delete from blocks where number < 380");
    await assertHonest(scene, 380, 410);
    await until(async () => (await alerts(scene)).length === 0, "the alert to be cleared");
    assert.deepEqual((await scene.pool.query("select from reorgs")).rows, []);
    await assertCleanStop(daemon, scene.pool);
  });
}

test("a node that keeps its connections and its chain id, and serves another chain's blocks, is found out by their transactions", async (t) => {
  const scene = await setScene(t, { node: { ports: 2 } });
  await scene.node.setFaults({ otherChain: 5, chainId: 1 }, 0);
  const daemon = await scene.start();
  await scene.insert(100, 140);
  await scene.settled();
  await assertHonest(scene, 100, 140);
  await scene.assertWrittenOnce(numbers(100, 140));
  await assertCleanStop(daemon, scene.pool);
});

test("a host whose node serves another chain, and that does not lead, ends with 78 as the leader would, and no job loses an attempt", async (t) => {
  const scene = await setScene(t, { node: { ports: 2 } });
  const [mine = "", its = ""] = scene.node.urls;
  const leader = await scene.start({ rpc: { urls: [mine] } });
  await until(
    async () => (await scene.pool.query("select from processing_head")).rowCount === 1,
    "the chain to be known",
  );
  // So that it can start: what it cannot reach it waits for.
  await scene.node.setFaults({ down: "refused" }, 1);
  const host = await scene.start({ rpc: { urls: [its] } });
  // The leader's workers hold one each, and the rest is for the other host.
  await scene.node.setFaults({ hang: ["eth_getBlockByNumber"] }, 0);
  await scene.insert(1, 20);
  await scene.node.setFaults({ otherChain: 5, down: null }, 1);
  assert.deepEqual(await host.program.exit, { code: 78, signal: null });
  assert(host.program.output.some((line) => /serves chain 5, not chain 1/.test(line)));
  await scene.node.clearFaults();
  const jobs = await scene.settled();
  assert.deepEqual(
    jobs.filter(({ attempts, deaths }) => attempts !== 1 || deaths !== 0),
    [],
  );
  await scene.assertWrittenOnce(numbers(1, 20));
  await assertCleanStop(leader, scene.pool);
});
