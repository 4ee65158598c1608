// Filecoin's null rounds: numbers at which the chain has no block.

import assert from "node:assert/strict";
import { test } from "node:test";
import { blockmill } from "../cli/blockmill.js";
import { assertCleanStop, numbers, type Scene, setScene, until } from "./scene.js";

const follows = { pipeline: { auto_enqueue: true, check_interval: 0.1 }, chain: { start_block: 390 } };

const absent = async ({ pool }: Scene) =>
  (
    await pool.query<{ n: number }>(
      "select block_number::int as n from processing_jobs where status = 'completed' and result ->> 'absent' = 'true' order by 1",
    )
  ).rows.map(({ n }) => n);
const stored = async ({ pool }: Scene) =>
  (await pool.query<{ n: number }>("select number::int as n from blocks order by 1")).rows.map(({ n }) => n);
const without = (all: number[], ...some: number[]) => all.filter((number) => !some.includes(number));
const settledAt = (scene: Scene, blocks: number[], skipped: number[]) =>
  until(
    async () => {
      const jobs = await scene.jobs();
      return (
        jobs.every(({ status }) => status === "completed") &&
        String(await stored(scene)) === String(blocks) &&
        String(await absent(scene)) === String(skipped)
      );
    },
    `blocks ${blocks[0]} to ${blocks.at(-1)} to be stored, and ${skipped} to be absent`,
  );

test("numbers without a block complete as absent, are no gap, and neighbours link across them", async (t) => {
  const scene = await setScene(t, { node: { chainId: 314, nullRounds: { main: [395, 396, 403] } } });
  await scene.node.mutate({
    method: "eth_getBlockByNumber",
    block: 396,
    kind: "error",
    code: 12,
    message: "requested epoch was a null round",
    count: 0,
  });
  const daemon = await scene.start(follows);
  await settledAt(scene, without(numbers(390, 400), 395, 396), [395, 396]);
  await scene.node.mine(5);
  const all = without(numbers(390, 405), 395, 396, 403);
  await settledAt(scene, all, [395, 396, 403]);
  await scene.assertWrittenOnce(all);

  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl };
  const expectWhole = async (): Promise<void> => {
    const gaps = await blockmill(["gaps", "390", "405"], env);
    assert.equal(gaps.code, 0, gaps.stdout);
    const proven = await blockmill(["verify", "390", "405"], env);
    assert.equal(proven.code, 0, proven.stdout);
    assert.match(proven.stdout, / 0 wrong, 0 missing, /);
  };
  const why = await blockmill(["why", "396"], env);
  assert.match(why.stdout, /^block 396: absent\n {2}the chain has no block at this number/);
  await expectWhole();
  const status = JSON.parse((await blockmill(["status", "--json"], env)).stdout);
  assert.equal(status.missing?.behind ?? status.behind ?? 0, 0, JSON.stringify(status));
  await daemon.stop();
  // The same when the jobs are gone.
  await scene.pool.query("update processing_jobs set completed_at = now() - interval '1 day'");
  const cleaned = await blockmill(["cleanup"], env);
  assert.equal(cleaned.code, 0, cleaned.stdout + cleaned.stderr);
  await expectWhole();
  // A block that links to another one than the one before the null rounds is found.
  await scene.pool.query("update blocks set parent_hash = sha256('') where number = 397");
  const broken = await blockmill(["verify", "390", "405"], env);
  assert.equal(broken.code, 1);
  assert.match(broken.stdout, /^block 397: /m);
});

test("a block that a node hides is not absent, whatever the chain's rules: its child names it", async (t) => {
  const scene = await setScene(t, { node: { chainId: 314 } });
  await scene.node.mutate({ method: "eth_getBlockByNumber", block: 397, kind: "null-result", count: 0 });
  const daemon = await scene.start();
  await scene.insert(396, 398);
  await until(async () => (await stored(scene)).length === 2, "its neighbours to be stored");
  const waits = async () =>
    (await scene.pool.query("select from processing_jobs where block_number = 397 and absences > 1"))
      .rowCount === 1;
  await until(waits, "block 397 to be waited for");
  assert.deepEqual(await absent(scene), []);
  await scene.node.clearFaults();
  await scene.settled();
  assert.deepEqual(await stored(scene), [396, 397, 398]);
  await assertCleanStop(daemon, scene.pool);
});

test("after a reorg a number may have a block that had none, and none that had one", async (t) => {
  const scene = await setScene(t, {
    node: { chainId: 314, nullRounds: { main: [398], "reorg-1": [399, 401] } },
  });
  const daemon = await scene.start(follows);
  await settledAt(scene, without(numbers(390, 400), 398), [398]);
  await scene.node.reorg({ depth: 4, length: 6 });
  await settledAt(scene, without(numbers(390, 402), 399, 401), [399, 401]);
  const { rows } = await scene.pool.query("select fork_block::int as fork from reorgs");
  assert.deepEqual(rows, [{ fork: 396 }]);
  // Each names the one before it as its parent.
  const links = await scene.pool.query(
    `select from (select parent_hash, lag(hash) over (order by number) as before from blocks) as linked
     where before is not null and before <> parent_hash`,
  );
  assert.equal(links.rowCount, 0);
  await assertCleanStop(daemon, scene.pool);
});
