import assert from "node:assert/strict";
import { test } from "node:test";
import { applyNext, openFeed, pruneFeed } from "../../src/feed/apply-next.js";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { followerOf, useWorld, workerOf } from "../orchestrator/scene.js";
import { scriptChain } from "../orchestrator/scripted-chain.js";
import { feedScene, readAs } from "./scene.js";

const world = useWorld();
const one = async <T>(sql: string) =>
  (await world.rows<{ value: T }>(`select (select ${sql}) as value`))[0]?.value;
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `apply ${from + i}`);

test("blocks are told in the chain's order, whatever order they were stored in; the feed waits at the missing one", async () => {
  const { chain, steps } = await feedScene(world, { head: 9, isStored: false, from: 2 });
  const worker = workerOf(world, chain);
  const store = async (from: number, to: number) => {
    await enqueueSeries(world.pool, { from, to });
    await worker.finish();
  };
  await store(6, 9);
  assert.deepEqual(await applyNext(world.pool, 100), { steps: 0, heights: 0 });
  await store(0, 4);
  assert.deepEqual(await applyNext(world.pool, 2), { steps: 2, heights: 2 });
  assert.deepEqual(await applyNext(world.pool, 100), { steps: 1, heights: 1 });
  assert.deepEqual(await steps(), range(2, 4));
  await store(5, 5);
  assert.deepEqual(await applyNext(world.pool, 100), { steps: 5, heights: 5 });
  assert.deepEqual(await steps(), range(2, 9));
  assert.deepEqual(await applyNext(world.pool, 100), { steps: 0, heights: 0 });
});

test("two leaders at once tell each block once", async () => {
  const { steps } = await feedScene(world, { head: 30 });
  await openFeed(world.pool, 0);
  await openFeed(world.pool, 5);
  await Promise.all([1, 2, 3, 4].map(() => applyNext(world.pool, 7)));
  while ((await applyNext(world.pool, 7)).heights > 0);
  assert.deepEqual(await steps(), range(0, 30));
});

test("without feed.from the first block above all that are stored is told first", async () => {
  const { chain, catchUp, steps } = await feedScene(world, { head: 5, from: null });
  assert.deepEqual(await steps(), []);
  chain.canonical.mine(2);
  await catchUp();
  assert.deepEqual(await steps(), range(6, 7));
});

test("in an empty schema the feed begins with the lowest block that was asked for", async () => {
  const { chain, steps } = await feedScene(world, { head: 8, isStored: false, from: null });
  await enqueueSeries(world.pool, { from: 3, to: 8 });
  const worker = workerOf(world, chain);
  const batch = await worker.prepare(2);
  assert.deepEqual(await applyNext(world.pool, 10), { steps: 0, heights: 0 });
  await worker.commit(await worker.prepare(4));
  assert.deepEqual(await applyNext(world.pool, 10), { steps: 0, heights: 0 });
  await worker.commit(batch);
  await applyNext(world.pool, 10);
  assert.deepEqual(await steps(), range(3, 8));
});

test("heights without a block are passed, archived or not", async () => {
  const { chain } = await feedScene(world, { head: 2, from: 0 });
  await world.pool.query(`
    insert into processing_jobs (block_number, status, completed_at, result)
    values (3, 'completed', now(), '{"absent": true}');
    update processing_coverage set blocks = blocks + '{[4,5)}', absent = '{[4,5)}'`);
  assert.deepEqual(await applyNext(world.pool, 100), { steps: 0, heights: 2 });
  assert.equal(await one("passed::text from chain_feed"), "{[3,5)}");
  chain.canonical.mine(3);
  await enqueueSeries(world.pool, { from: 5, to: 5 });
  await workerOf(world, chain).finish();
  assert.deepEqual(await applyNext(world.pool, 100), { steps: 1, heights: 1 });
});

test("while the feed is off nothing is told, nothing is locked, and there is no row of it", async () => {
  const { steps } = await feedScene(world);
  const client = await world.pool.connect();
  await client.query("begin");
  await client.query("select from processing_coverage for update");
  assert.deepEqual(await applyNext(world.pool, 100), { steps: 0, heights: 0 });
  assert.equal(await pruneFeed(world.pool, { maxLag: 1, limit: 1 }), 0);
  await client.query("rollback");
  client.release();
  assert.deepEqual(await steps(), []);
  assert.equal(await one("count(*)::int from chain_feed"), 0);
});

test("steps go once every reader has passed them; one beyond the longest lag starts again, and a pinned one holds them", async () => {
  const { pool } = world;
  await feedScene(world, { head: 29, from: 0 });
  const first = () => one<string>("min(id)::text from chain_changes");
  const prune = (maxLag: number) => pruneFeed(pool, { maxLag, limit: 1_000 });
  for (const name of ["fast", "slow"]) await pool.query("select start_reader($1, 0)", [name]);
  await readAs(pool, "fast", 20);
  assert.equal(await prune(100), 0);
  await readAs(pool, "slow", 4);
  assert.equal(await prune(100), 4);
  assert.equal(await first(), "5");
  await pool.query("update chain_readers set pinned = true where name = 'slow'");
  assert.equal(await prune(3), 0);
  await pool.query("update chain_readers set pinned = false");
  assert.equal(await pruneFeed(pool, { maxLag: 15, limit: 6 }), 6);
  // Nobody waits for it any more.
  assert.equal(await prune(15), 10);
  await assert.rejects(readAs(pool, "slow", 10), {
    message: /reader 'slow' has taken the steps up to 4, and those up to 20 are gone/,
    hint: /start_reader\('slow'\)/,
  });
  assert.deepEqual(
    (await readAs(pool, "fast", 100)).map(({ number }) => Number(number)),
    [20, 21, 22, 23, 24, 25, 26, 27, 28, 29],
  );
  const started = await world.rows("select id::text, told::text from start_reader('slow')");
  assert.deepEqual(started, [{ id: "30", told: "{[0,30)}" }]);
  await assert.rejects(pool.query("select start_reader('late', 3)"), { message: /steps from 21 to 30/ });
});

test("a block that is told is hinted at, on a channel of the schema", async () => {
  const { chain, follow, worker } = await feedScene(world, { head: 3, from: 0 });
  const listener = await world.pool.connect();
  const payloads: (string | undefined)[] = [];
  listener.on("notification", ({ channel, payload }) => payloads.push(`${channel} ${payload}`));
  await listener.query("listen blockmill_changes_public");
  chain.canonical.mine(1);
  await follow();
  await worker.finish();
  await listener.query("select");
  assert.deepEqual(payloads, []);
  await applyNext(world.pool, 10);
  await listener.query("select");
  assert.deepEqual(payloads, ["blockmill_changes_public "]);
  listener.release(true);
});

test("a schema whose chain is followed from the middle tells from there", async () => {
  await world.pool.query("select stop_feed()");
  const chain = scriptChain({ head: 10, transactions: 1 });
  await openFeed(world.pool, null);
  const { follow } = followerOf(world, chain, { "chain.start_block": 7 });
  await follow();
  await workerOf(world, chain).finish();
  await applyNext(world.pool, 100);
  assert.equal(await one("told::text from chain_feed"), "{[7,11)}");
});
