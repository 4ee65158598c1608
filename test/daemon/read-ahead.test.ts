import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCleanStop, setScene, until } from "./scene.js";

test("a head is fetched while its job is still being made, and no block is fetched twice", async (t) => {
  const scene = await setScene(t, { node: { head: 50 } });
  const daemon = await scene.start({
    pipeline: { auto_enqueue: true, check_interval: 0.1, workers: 1 },
    chain: { start_block: 50 },
  });
  const isStored = async (block: number) =>
    (await scene.pool.query("select from blocks where number = $1", [block])).rows.length > 0;
  const storeUpTo = (head: number) => until(() => isStored(head), `block ${head} to be stored`);
  const askedFor = async (hash: string) =>
    (await scene.node.calls())
      .filter(({ params }) => Array.isArray(params) && params[0] === hash)
      .map(({ method }) => method)
      .sort();
  await storeUpTo(50);
  let head = 50;
  for (let i = 0; i < 6; i += 1) {
    head = (await scene.node.mine(1)).number;
    await storeUpTo(head);
  }

  // Nobody can note a head, and so none is enqueued.
  const client = await scene.pool.connect();
  try {
    await client.query("begin");
    await client.query("select from processing_head for update");
    const next = await scene.node.mine(1);
    await until(async () => (await askedFor(next.hash)).length === 2, "the block to be asked for");
    const { rows } = await client.query("select from processing_jobs where block_number = $1", [next.number]);
    assert.equal(rows.length, 0);
    await client.query("rollback");
    await storeUpTo(next.number);
    head = next.number;
  } finally {
    client.release();
  }

  for (const { hash, number } of await scene.node.canonical(51, head))
    assert.deepEqual(await askedFor(hash), ["eth_getBlockByHash", "eth_getBlockReceipts"], `block ${number}`);
  await assertCleanStop(daemon, scene.pool);
});
