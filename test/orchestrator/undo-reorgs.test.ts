// How a dropped branch is undone: however deep, in batches, cut short, by two at once, and not too deep.

import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "../support/process.js";
import {
  archiveAll,
  assertCanonical,
  emptyTables,
  followerOf,
  forgetBlock,
  numbers,
  reorgsOf,
  storedScene,
  useWorld,
  workerOf,
} from "./scene.js";
import { scriptChain } from "./scripted-chain.js";

const world = useWorld();
const alerts = () => world.rows("select kind, cleared_at is null as open from alerts order by id");
const coverage = async () =>
  (await world.rows<{ blocks: string }>("select blocks::text as blocks from processing_coverage"))[0]?.blocks;

test("a reorg across archived blocks gives them jobs again, and takes them from the coverage", async () => {
  const { chain, follow, worker } = await storedScene(world);
  await archiveAll(world);
  assert.equal(await coverage(), "{[0,41)}");
  chain.canonical.reorg({ depth: 10, length: 12 });
  await follow();
  assert.equal(await coverage(), "{[0,31)}");
  assert.deepEqual(
    Object.entries(await world.statuses()),
    numbers(31, 42).map((number) => [String(number), "pending"]),
  );
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a reorg deeper than one batch, across archived blocks, loses none of them", async () => {
  const chain = scriptChain({ head: 160, transactions: 0 });
  const { follow } = followerOf(world, chain, { "chain.max_reorg_depth": 150 });
  const worker = workerOf(world, chain);
  await follow();
  await worker.finish();
  await archiveAll(world);
  chain.canonical.reorg({ depth: 140, length: 141 });
  await follow();
  assert.deepEqual(
    (await reorgsOf(world)).map(({ fork_block, depth }) => [fork_block, depth]),
    [[20, 140]],
  );
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 161));
});

test("a deep reorg that is cut short between two batches is gone on with by the next leader", async () => {
  const chain = scriptChain({ head: 160, transactions: 0 });
  const wanted = { "chain.max_reorg_depth": 150 };
  const { follow } = followerOf(world, chain, wanted);
  const worker = workerOf(world, chain);
  await follow();
  await worker.finish();
  await archiveAll(world);
  chain.canonical.reorg({ depth: 140, length: 138 });
  await world.pool.query(`
    create function cut_short() returns trigger language plpgsql as $$
    begin
      if old.number < 60 then raise exception 'the orchestrator dies here'; end if;
      return old;
    end $$;
    create trigger cut_short before delete on blocks for each row execute function cut_short()`);
  await assert.rejects(follow(), /the orchestrator dies here/);
  await world.pool.query("drop function cut_short cascade");
  const left = await world.rows<{ number: number }>("select max(number) as number from blocks");
  assert.deepEqual(left, [{ number: 96 }]);
  const next = followerOf(world, chain, wanted);
  await next.follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 158));
  chain.canonical.mine(5);
  await next.follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 163));
});

test("a reorg below the final window is undone as long as it is within max_reorg_depth", async () => {
  const { chain, follow, worker } = await storedScene(world, { wanted: { "chain.finality_depth": 8 } });
  chain.canonical.reorg({ depth: 20, length: 22 });
  await follow();
  assert.deepEqual(
    (await reorgsOf(world)).map(({ fork_block, depth, old_head }) => [fork_block, depth, old_head]),
    [[20, 20, 40]],
  );
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a reorg deeper than max_reorg_depth removes nothing, raises an alert, and enqueues nothing", async () => {
  const { chain, follow, worker } = await storedScene(world, {
    wanted: { "chain.max_reorg_depth": 10, "chain.finality_depth": 8 },
  });
  chain.canonical.reorg({ depth: 11, length: 13 });
  assert.deepEqual(await follow(), { kind: "halted" });
  assert.deepEqual(await follow(), { kind: "halted" });
  assert.deepEqual(await alerts(), [{ kind: "reorg_too_deep", open: true }]);
  assert.equal(await worker.finish(), 0);
  assert.deepEqual(await reorgsOf(world), []);
  chain.canonical.switchTo("main");
  await assertCanonical(world, chain, numbers(0, 40));
  // The same head as before: nothing new, but all is well.
  assert.deepEqual(await follow(), { kind: "known" });
  assert.deepEqual(await alerts(), [{ kind: "reorg_too_deep", open: false }]);
  chain.canonical.mine(2);
  assert.deepEqual(await follow(), { kind: "enqueued", blocks: 2 });
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a reorg of exactly max_reorg_depth is undone, with headers down to it or not", async () => {
  for (const finality of [6, 60]) {
    await world.pool.query(
      "truncate processing_jobs, processing_head, reorgs, blocks, transactions, logs, withdrawals, token_transfers",
    );
    const { chain, follow, worker } = await storedScene(world, {
      wanted: { "chain.max_reorg_depth": 10, "chain.finality_depth": finality },
    });
    chain.canonical.reorg({ depth: 10, length: 11 });
    await follow();
    await worker.finish();
    await assertCanonical(world, chain, numbers(0, 41));
  }
});

test("a chain that goes back to the old branch at any moment of a deep look leaves no mixture", async () => {
  for (let moment = 1, calls = moment; moment <= calls; moment += 1) {
    await emptyTables(world.pool);
    const chain = scriptChain({ head: 14, transactions: 0 });
    const { follow } = followerOf(world, chain, { "chain.max_reorg_depth": 5, "chain.finality_depth": 2 });
    const worker = workerOf(world, chain);
    await follow();
    await worker.finish();
    chain.canonical.reorg({ depth: 7, length: 8 });
    calls = 0;
    chain.beforeAnswer = async () => {
      calls += 1;
      if (calls === moment) chain.canonical.switchTo("main");
    };
    await follow().catch((error: unknown) => assert.match(String(error), /changed|does not have/));
    chain.beforeAnswer = async () => {};
    chain.canonical.switchTo("main");
    chain.canonical.mine(1);
    await follow();
    await worker.finish();
    await assertCanonical(world, chain, numbers(0, 15));
  }
});

test("two leaders that undo the same reorg at once undo it once", async () => {
  const { chain, follow, worker } = await storedScene(world);
  const other = followerOf(world, chain);
  await other.follow();
  chain.canonical.reorg({ depth: 6, length: 8 });
  await Promise.all([follow(), other.follow()]);
  assert.equal((await reorgsOf(world)).length, 1);
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a revert that cannot be finished changes nothing at all", async () => {
  const { chain, follow, worker } = await storedScene(world);
  await archiveAll(world);
  chain.canonical.reorg({ depth: 5, length: 7 });
  await world.pool.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
    create trigger refuse before insert on reorgs for each row execute function refuse()`);
  await assert.rejects(follow(), /refused/);
  await world.pool.query("drop function refuse cascade");
  assert.equal(await coverage(), "{[0,41)}");
  assert.deepEqual(await world.statuses(), {});
  chain.canonical.switchTo("main");
  await assertCanonical(world, chain, numbers(0, 40));
  chain.canonical.switchTo("reorg-1");
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a job that is made and completed while the rows are being removed is re-queued too", async () => {
  const { chain, follow, worker } = await storedScene(world);
  await forgetBlock(world, 39);
  chain.canonical.reorg({ depth: 3, length: 4 });
  const other = await world.pool.connect();
  try {
    await other.query("begin");
    // The removal waits for this lock, and sees what is written until it is gone.
    await other.query("lock table blocks in exclusive mode");
    const followed = follow();
    const waits = `select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%delete from "blocks"%'`;
    await waitFor(async () => (await world.rows(waits)).length > 0, { what: "the removal to wait" });
    await other.query(
      `insert into blocks select (jsonb_populate_record(b, '{"number": 39}')).* from blocks as b where number = 38`,
    );
    await other.query(
      "insert into processing_jobs (block_number, status, completed_at) values (39, 'completed', now())",
    );
    await other.query("commit");
    await followed;
  } finally {
    other.release();
  }
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 41));
});

test("a branch is not followed while who tells of it serves another chain, or does not say which", async () => {
  const { chain, follow, worker } = await storedScene(world);
  chain.canonical.reorg({ depth: 5, length: 6 });
  chain.faults[0] = { chainId: 5 };
  assert.equal((await follow()).kind, "unconfirmed");
  assert.deepEqual(await reorgsOf(world), []);
  chain.faults[0] = {};
  assert.equal((await follow()).kind, "enqueued");
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 41));
});
