import assert from "node:assert/strict";
import { test } from "node:test";
import { archiveJobs } from "../../src/queue/archive.js";
import { readHead } from "../../src/queue/head.js";
import { openRange, topUpRanges } from "../../src/queue/ranges.js";
import { brokenLinks } from "../reorg/expected-rows.js";
import { waitFor } from "../support/process.js";
import { assertCanonical, emptyTables, followerOf, numbers, useWorld, workerOf } from "./scene.js";
import { scriptChain } from "./scripted-chain.js";

const world = useWorld();

interface ReorgRow {
  fork_block: number;
  depth: number;
  old_head: number;
  new_head: number;
  told_by: string;
  confirmed_by: string;
}

const reorgs = () =>
  world.rows<ReorgRow>(
    "select fork_block, depth, old_head, new_head, told_by, confirmed_by from reorgs order by id",
  );
const alerts = () => world.rows("select kind, cleared_at is null as open from alerts order by id");
const coverage = async () =>
  (await world.rows<{ blocks: string }>("select blocks::text as blocks from processing_coverage"))[0]?.blocks;
const archive = () =>
  archiveJobs(world.pool, { olderThanMs: -1, kept: 0, keepHistory: false, limit: 10_000 });

/** Takes a block and its job away, as a person might. */
async function forget(number: number): Promise<void> {
  await world.pool.query(`
    delete from processing_jobs where block_number = ${number};
    delete from blocks where number = ${number};
    delete from transactions where block_number = ${number};
    delete from logs where block_number = ${number};
    delete from withdrawals where block_number = ${number};
    delete from token_transfers where block_number = ${number}`);
}

/** A chain whose blocks 0 to 40 are followed and stored. */
async function stored(options: { endpoints?: number; wanted?: Record<string, unknown> } = {}) {
  const chain = scriptChain({ head: 40, endpoints: options.endpoints ?? 1 });
  const { follow } = followerOf(world, chain, options.wanted);
  const worker = workerOf(world, chain);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 40));
  return { chain, follow, worker };
}

for (const depth of [1, 2, 5, 30]) {
  test(`a reorg of depth ${depth} removes exactly the dropped blocks and stores the new ones`, async () => {
    const { chain, follow, worker } = await stored();
    chain.canonical.reorg({ depth, length: depth + 1 });
    assert.deepEqual(await follow(), { kind: "enqueued", blocks: 1 });
    assert.deepEqual(await reorgs(), [
      {
        fork_block: 40 - depth,
        depth,
        old_head: 40,
        new_head: 41,
        told_by: "node-0",
        confirmed_by: "node-0",
      },
    ]);
    // What is left right after the revert is what both branches have.
    await assertCanonical(world, chain, numbers(0, 40 - depth));
    await worker.finish();
    await assertCanonical(world, chain, numbers(0, 41));
  });
}

test("from a branch to another and back, each block is of the branch of the moment", async () => {
  const { chain, follow, worker } = await stored();
  const { branch } = chain.canonical.reorg({ depth: 5, length: 6 });
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 41));
  chain.canonical.switchTo("main");
  chain.canonical.mine(2);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
  chain.canonical.switchTo(branch);
  chain.canonical.mine(2);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 43));
  assert.equal((await reorgs()).length, 3);
});

test("a shorter branch suspends the jobs above it, and they run when it has grown to their height", async () => {
  const { chain, follow, worker } = await stored();
  chain.canonical.reorg({ depth: 5, length: 2 });
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 37));
  const statuses = await world.statuses();
  assert.deepEqual([statuses[37], statuses[38], statuses[40]], ["completed", "scheduled", "scheduled"]);
  for (const [mined, head] of [
    [1, 38],
    [5, 43],
  ] as const) {
    chain.canonical.mine(mined);
    await follow();
    await worker.finish();
    await assertCanonical(world, chain, numbers(0, head));
  }
});

test("a shorter branch that gives way to the old one again wakes what it suspended", async () => {
  const { chain, follow, worker } = await stored();
  chain.canonical.reorg({ depth: 5, length: 2 });
  await follow();
  chain.canonical.switchTo("main");
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 40));
});

test("a shorter branch suspends jobs above it though nothing that it has itself is stored or asked for by hash", async () => {
  const chain = scriptChain({ head: 20, transactions: 0 });
  const { follow } = followerOf(world, chain, { "chain.finality_depth": 2, "chain.max_reorg_depth": 50 });
  const worker = workerOf(world, chain);
  chain.canonical.reorg({ depth: 1, length: 5 });
  await follow();
  // 24 and 23 are asked for by hash, 22 by number.
  chain.canonical.switchTo("main");
  chain.canonical.setHead(22);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 22));
  chain.canonical.mine(4);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 26));
});

test("with auto_enqueue off, a shorter branch's suspended jobs run all the same, archived ones too", async () => {
  const chain = scriptChain({ head: 40 });
  const { follow } = followerOf(world, chain, { "pipeline.auto_enqueue": false });
  const worker = workerOf(world, chain);
  await openRange(world.pool, { from: 20, to: 40 });
  await follow();
  await topUpRanges(world.pool, 100);
  await worker.finish();
  await archive();
  chain.canonical.reorg({ depth: 8, length: 3 });
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(20, 35));
  chain.canonical.mine(10);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(20, 40));
});

test("a reorg across archived blocks gives them jobs again, and takes them from the coverage", async () => {
  const { chain, follow, worker } = await stored();
  await archive();
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
  await archive();
  chain.canonical.reorg({ depth: 140, length: 141 });
  await follow();
  assert.deepEqual(
    (await reorgs()).map(({ fork_block, depth }) => [fork_block, depth]),
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
  await archive();
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
  const { chain, follow, worker } = await stored({ wanted: { "chain.finality_depth": 8 } });
  chain.canonical.reorg({ depth: 20, length: 22 });
  await follow();
  assert.deepEqual(
    (await reorgs()).map(({ fork_block, depth, old_head }) => [fork_block, depth, old_head]),
    [[20, 20, 40]],
  );
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a reorg deeper than max_reorg_depth removes nothing, raises an alert, and enqueues nothing", async () => {
  const { chain, follow, worker } = await stored({
    wanted: { "chain.max_reorg_depth": 10, "chain.finality_depth": 8 },
  });
  chain.canonical.reorg({ depth: 11, length: 13 });
  assert.deepEqual(await follow(), { kind: "halted" });
  assert.deepEqual(await follow(), { kind: "halted" });
  assert.deepEqual(await alerts(), [{ kind: "reorg_too_deep", open: true }]);
  assert.equal(await worker.finish(), 0);
  assert.deepEqual(await reorgs(), []);
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
    const { chain, follow, worker } = await stored({
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

test("an alert of an earlier leader is cleared by one that finds all well", async () => {
  const { chain } = await stored();
  await world.pool.query("insert into alerts (kind, message) values ('reorg_too_deep', 'of yesterday')");
  const next = followerOf(world, chain);
  await next.follow();
  assert.deepEqual(await alerts(), [{ kind: "reorg_too_deep", open: false }]);
});

test("a head that goes backwards is no reorg", async () => {
  const { chain, follow, worker } = await stored();
  for (const head of [39, 20, 40]) {
    chain.canonical.setHead(head);
    assert.deepEqual(await follow(), { kind: "known" });
  }
  assert.deepEqual(await reorgs(), []);
  chain.canonical.setHead(42);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a leader whose first head is that of a lagging node removes nothing", async () => {
  const { chain } = await stored({ endpoints: 2 });
  chain.faults[0] = { headLag: 7 };
  const next = followerOf(world, chain);
  await next.follow(0);
  await next.follow(1);
  assert.deepEqual(await reorgs(), []);
  await assertCanonical(world, chain, numbers(0, 40));
  assert.equal((await readHead(world.pool))?.nextBlock, 41);
});

test("an endpoint that tells of a branch alone is not believed; with a second one it is", async () => {
  const { chain, follow, worker } = await stored({ endpoints: 2 });
  chain.canonical.fork({ branch: "lie", depth: 3, length: 5 });
  chain.faults[1] = { branch: "lie" };
  assert.deepEqual(await follow(1), { kind: "unconfirmed" });
  assert.deepEqual(await reorgs(), []);
  await assertCanonical(world, chain, numbers(0, 40));
  // The others go on meanwhile.
  chain.canonical.mine(1);
  assert.deepEqual(await follow(0), { kind: "enqueued", blocks: 1 });
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 41));
  chain.canonical.switchTo("lie");
  assert.deepEqual(await follow(1), { kind: "enqueued", blocks: 1 });
  assert.deepEqual(
    (await reorgs()).map(({ told_by, confirmed_by }) => [told_by, confirmed_by]),
    [["node-1", "node-0"]],
  );
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("a lie that is deeper than max_reorg_depth raises no alert while another endpoint contradicts", async () => {
  const { chain, follow } = await stored({
    endpoints: 2,
    wanted: { "chain.max_reorg_depth": 10, "chain.finality_depth": 8 },
  });
  chain.canonical.fork({ branch: "lie", depth: 30, length: 31 });
  chain.faults[1] = { branch: "lie" };
  assert.deepEqual(await follow(1), { kind: "unconfirmed" });
  assert.deepEqual(await alerts(), []);
});

test("a block that was fetched by its hash before the reorg is not committed after it", async () => {
  const { chain, follow, worker } = await stored();
  const late = workerOf(world, chain, "b/w1");
  chain.canonical.mine(3);
  await follow();
  const batch = await late.prepare();
  chain.canonical.reorg({ depth: 2, length: 3 });
  await follow();
  const { completed, lost } = await late.commit(batch);
  assert.deepEqual([batch.prepared.length, completed, lost], [3, 1, 2]);
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 44));
});

test("nor is one that was fetched by its number, though nothing of the dropped branch is stored", async () => {
  const chain = scriptChain({ head: 43 });
  const { follow } = followerOf(world, chain, { "pipeline.auto_enqueue": false });
  const [worker, late] = [workerOf(world, chain), workerOf(world, chain, "b/w1")];
  await follow();
  await world.pool.query("insert into processing_jobs (block_number) select generate_series(39, 43)");
  const batch = await late.prepare();
  chain.canonical.reorg({ depth: 3, length: 2 });
  await follow();
  const { completed, lost } = await late.commit(batch);
  assert.deepEqual([batch.prepared.length, completed, lost], [5, 2, 3]);
  await worker.finish();
  await assertCanonical(world, chain, numbers(39, 42));
});

test("nor when the reorg is deeper than the final window", async () => {
  const chain = scriptChain({ head: 40 });
  const { follow } = followerOf(world, chain, {
    "pipeline.auto_enqueue": false,
    "chain.finality_depth": 2,
    "chain.max_reorg_depth": 20,
  });
  const [worker, late] = [workerOf(world, chain), workerOf(world, chain, "b/w1")];
  await follow();
  await world.pool.query("insert into processing_jobs (block_number) select generate_series(30, 40)");
  const batch = await late.prepare();
  chain.canonical.reorg({ depth: 8, length: 9 });
  await follow();
  assert.equal((await late.commit(batch)).lost, 11);
  await worker.finish();
  await assertCanonical(world, chain, numbers(30, 40));
});

test("a claim of a dropped block never settles the next claim of that block by the same worker", async () => {
  const { chain, follow, worker } = await stored();
  chain.canonical.mine(1);
  await follow();
  const old = await worker.prepare();
  chain.canonical.reorg({ depth: 1, length: 1 });
  await follow();
  const fresh = await worker.prepare();
  assert.deepEqual([old.prepared.length, fresh.prepared.length], [1, 1]);
  assert.equal((await worker.commit(old)).lost, 1);
  await assertCanonical(world, chain, numbers(0, 40));
  assert.equal((await worker.commit(fresh)).completed, 1);
  await assertCanonical(world, chain, numbers(0, 41));
});

test("a stale block that a lagging node served by number after the reorg is found by looking again", async () => {
  const { chain, follow, worker } = await stored({ endpoints: 2 });
  await forget(38);
  chain.canonical.reorg({ depth: 3, length: 3, branch: "new" });
  await follow();
  // Nobody asked for 38 on the new branch. A person does, and the node that answers lags.
  await world.pool.query("insert into processing_jobs (block_number, priority) values (38, 1000)");
  chain.faults[0] = { branch: "main" };
  chain.faults[1] = { branch: "main" };
  const batch = await worker.prepare(1);
  assert.equal(batch.prepared.length, 1);
  await worker.commit(batch);
  chain.faults.fill({});
  assert.deepEqual(await follow(), { kind: "enqueued", blocks: 0 });
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 40));
  assert.deepEqual(await follow(), { kind: "known" });
});

test("jobs that asked for a dropped branch while nobody followed ask for what is canonical now", async () => {
  const { chain, follow, worker } = await stored();
  chain.canonical.mine(5);
  await follow();
  chain.canonical.reorg({ depth: 3, length: 300 });
  chain.faults[0] = { forgetsOrphans: true };
  const next = followerOf(world, chain);
  await next.follow();
  await topUpRanges(world.pool, 10_000);
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 342));
});

test("a reorg that happened while nobody followed, long ago, is found at the next start", async () => {
  const { chain, worker } = await stored();
  chain.canonical.reorg({ depth: 6, length: 400 });
  const next = followerOf(world, chain);
  await next.follow();
  assert.deepEqual(
    (await reorgs()).map(({ fork_block, depth, old_head, new_head }) => [
      fork_block,
      depth,
      old_head,
      new_head,
    ]),
    [[34, 6, 40, 434]],
  );
  await topUpRanges(world.pool, 10_000);
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 434));
});

test("a stale block is found though it became final between two looks", async () => {
  const chain = scriptChain({ head: 20, transactions: 0 });
  const { follow } = followerOf(world, chain, { "pipeline.auto_enqueue": false, "chain.finality_depth": 4 });
  const worker = workerOf(world, chain);
  await world.pool.query("insert into processing_jobs (block_number) values (20)");
  const batch = await worker.prepare();
  chain.canonical.reorg({ depth: 1, length: 1 });
  await follow();
  await worker.commit(batch);
  chain.canonical.mine(5);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, [20]);
});

test("a stale block behind a hole, below the window, is found at the next start", async () => {
  const chain = scriptChain({ head: 40, transactions: 0 });
  const wanted = { "pipeline.auto_enqueue": false, "chain.finality_depth": 2 };
  const worker = workerOf(world, chain);
  await world.pool.query("insert into processing_jobs (block_number) values (33), (34)");
  await worker.finish();
  chain.canonical.reorg({ depth: 10, length: 12 });
  await world.pool.query("insert into processing_jobs (block_number) values (30), (36), (37)");
  await worker.finish();
  await followerOf(world, chain, wanted).follow();
  await worker.finish();
  await assertCanonical(world, chain, [30, 33, 34, 36, 37]);
});

test("a stale block below the window, of a branch that nobody told of, is found by the child that does not link", async () => {
  const chain = scriptChain({ head: 20, transactions: 1 });
  const { follow } = followerOf(world, chain, { "chain.finality_depth": 2 });
  const worker = workerOf(world, chain);
  await follow();
  // The newest ten blocks come first: 11 to 16, of which only the last is another branch's.
  chain.canonical.reorg({ depth: 5, length: 1 });
  const batch = await worker.prepare(6);
  chain.canonical.switchTo("main");
  assert.equal((await worker.commit(batch)).completed, 6);
  const { completed, failed } = await worker.commit(await worker.prepare());
  assert.deepEqual([completed, failed], [14, 1]);
  const [failure] = await world.rows("select block_number, class from processing_failures");
  assert.deepEqual(failure, { block_number: 17, class: "unlinked" });
  // Nothing new is told of.
  assert.equal((await follow()).kind, "enqueued");
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 20));
  assert.equal((await follow()).kind, "known");
});

test("two leaders that undo the same reorg at once undo it once", async () => {
  const { chain, follow, worker } = await stored();
  const other = followerOf(world, chain);
  await other.follow();
  chain.canonical.reorg({ depth: 6, length: 8 });
  await Promise.all([follow(), other.follow()]);
  assert.equal((await reorgs()).length, 1);
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("what a person cancelled stays cancelled, and what failed runs again on the new branch", async () => {
  const { chain, follow, worker } = await stored();
  chain.canonical.mine(3);
  await follow();
  await world.pool.query("update processing_jobs set status = 'cancelled' where block_number = 41");
  await world.pool.query(
    "update processing_jobs set status = 'failed', attempts = 3 where block_number = 42",
  );
  chain.canonical.reorg({ depth: 4, length: 5 });
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, [...numbers(0, 40), 42, 43, 44]);
  assert.equal((await world.statuses())[41], "cancelled");
});

test("a revert that cannot be finished changes nothing at all", async () => {
  const { chain, follow, worker } = await stored();
  await archive();
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
  const { chain, follow, worker } = await stored();
  await forget(39);
  chain.canonical.reorg({ depth: 3, length: 4 });
  const other = await world.pool.connect();
  try {
    await other.query("begin");
    // The removal waits for this lock, and sees what is written until it is gone.
    await other.query("lock table blocks in exclusive mode");
    const followed = follow();
    const waits =
      "select from pg_stat_activity where wait_event_type = 'Lock' and query like 'delete from blocks%'";
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

test("blocks whose suspended jobs a person deleted are enqueued anew when the head gets there", async () => {
  const { chain, follow, worker } = await stored();
  chain.canonical.reorg({ depth: 5, length: 2 });
  await follow();
  await world.pool.query("delete from processing_jobs where status = 'scheduled'");
  chain.canonical.mine(5);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 42));
});

test("blocks of two branches that nodes serve by number never stand beside each other", async () => {
  const chain = scriptChain({ head: 40, endpoints: 2 });
  const { follow } = followerOf(world, chain, { "pipeline.auto_enqueue": false });
  const [worker, other] = [workerOf(world, chain), workerOf(world, chain, "b/w1")];
  await follow();
  await world.pool.query("insert into processing_jobs (block_number) select generate_series(30, 40)");
  const batch = await worker.prepare(5);
  chain.canonical.reorg({ depth: 12, length: 12 });
  // The follower has not seen it yet.
  const more = await other.prepare(6);
  await Promise.all([worker.commit(batch), other.commit(more)]);
  assert.deepEqual(await world.rows(brokenLinks), []);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(30, 40));
});
