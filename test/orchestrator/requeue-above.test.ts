// The queue's half of a reorg, statement by statement.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hex } from "../../src/block.js";
import { inTransaction } from "../../src/db/pool.js";
import { readKnownBlocks } from "../../src/orchestrator/known-blocks.js";
import { clearAlert, raiseAlert } from "../../src/queue/alerts.js";
import { claimJobs } from "../../src/queue/claim.js";
import { type AdvanceOptions, advanceHead, readHead, rewindHead } from "../../src/queue/head.js";
import { newestWanted, unpinBelow, wantedHashes } from "../../src/queue/known-hashes.js";
import { recordReorg, reorgsChannel } from "../../src/queue/reorgs.js";
import { type Rewind, requeueAbove } from "../../src/queue/requeue-above.js";
import { completeJobs } from "../support/complete-jobs.js";
import { numbers, useWorld } from "./scene.js";

const world = useWorld();

const header = (branch: string, number: number) => ({
  number,
  hash: hashOf(branch, number),
  timestamp: number,
});

function hashOf(branch: string, number: number): Hex {
  return `0x${branch.repeat(8)}${number.toString(16).padStart(56, "0")}`;
}

const branchOf = (branch: string, from: number, to: number) =>
  numbers(from, to).map((number) => header(branch, number));

const advance = (more: Partial<AdvanceOptions> & { headers: AdvanceOptions["headers"] }) =>
  advanceHead(world.pool, {
    chainId: 1,
    fresh: more.headers,
    safeBlock: null,
    finalizedBlock: null,
    startBlock: null,
    priorityBlocks: 3,
    autoEnqueue: true,
    ...more,
  });

const requeue = (more: Partial<Rewind> = {}) =>
  inTransaction(world.pool, (tx) =>
    requeueAbove(tx, { forkBlock: 10, branch: branchOf("b", 11, 14), oldHead: 14, stored: [], ...more }),
  );

const insert = (from: number, to: number, status = "pending", branch: string | null = "a") =>
  world.rows(
    `insert into processing_jobs (block_number, status, block_hash, worker_id, started_at, completed_at, attempts, metadata)
     select n, $3, case when $4::text is not null then decode(repeat($4, 8) || lpad(to_hex(n), 56, '0'), 'hex') end,
            'x/w1', now(), case when $3 = 'completed' then now() end, 2, '{"mine": true}'
     from generate_series($1::int, $2::int) as n`,
    [from, to, status, branch],
  );

interface Job {
  block_number: number;
  status: string;
  wants: string | null;
  attempts: number;
  waits: boolean;
}

const jobs = () =>
  world.rows<Job>(
    `select block_number::int, status, substr(encode(block_hash, 'hex'), 1, 1) as wants, attempts, run_at = 'infinity' as waits
     from processing_jobs order by block_number`,
  );
/** Each job as `number status branch`. */
const summary = async () =>
  (await jobs()).map((job) => `${job.block_number} ${job.status} ${job.wants}${job.waits ? " waits" : ""}`);

test("every kind of job above the fork wants the new branch's block, with fresh attempts; below it nothing changes", async () => {
  await insert(9, 10, "completed");
  await insert(11, 11, "completed");
  await insert(12, 12, "processing");
  await insert(13, 13, "failed");
  await insert(14, 14, "scheduled");
  await requeue();
  assert.deepEqual(await summary(), [
    "9 completed a",
    "10 completed a",
    "11 pending b",
    "12 pending b",
    "13 pending b",
    "14 pending b",
  ]);
  const rows = await world.rows(
    "select from processing_jobs where block_number > 10 and attempts = 0 and completed_at is null and metadata is not null",
  );
  assert.equal(rows.length, 4);
});

test("a claim in flight above the fork cannot be completed, nor can it settle a later claim of the same worker", async () => {
  await insert(11, 12, "pending");
  const old = await claimJobs(world.pool, { workerId: "a/w1", limit: 10, after: undefined });
  await requeue();
  const complete = (claims: typeof old) =>
    inTransaction(world.pool, (tx) =>
      completeJobs(
        tx,
        "a/w1",
        claims.map(({ token }) => ({ token, result: {} })),
      ),
    );
  assert.equal((await complete(old)).size, 0);
  const fresh = await claimJobs(world.pool, { workerId: "a/w1", limit: 10, after: undefined });
  assert.deepEqual(
    fresh.map(({ blockHash }) => blockHash),
    [hashOf("b", 11), hashOf("b", 12)],
  );
  assert.equal((await complete(old)).size, 0);
  assert.equal((await complete(fresh)).size, 2);
});

test("a commit that is under way is waited for, and its job is re-queued all the same", async () => {
  await insert(11, 11, "pending");
  const claims = await claimJobs(world.pool, { workerId: "a/w1", limit: 1, after: undefined });
  const committing = await world.pool.connect();
  await committing.query("begin");
  await completeJobs(
    committing,
    "a/w1",
    claims.map(({ token }) => ({ token, result: {} })),
  );
  const requeued = requeue({ branch: branchOf("b", 11, 11) });
  const early = await Promise.race([requeued.then(() => "early"), new Promise((go) => setTimeout(go, 50))]);
  assert.equal(early, undefined);
  await committing.query("commit");
  committing.release();
  await requeued;
  assert.deepEqual(await summary(), ["11 pending b"]);
});

test("jobs above a shorter branch wait, up to where the old one was seen, and keep what a person put into them", async () => {
  await advance({ headers: branchOf("a", 14, 16), autoEnqueue: false });
  await insert(11, 14, "completed");
  await insert(15, 15, "processing", null);
  await insert(17, 17, "pending", null);
  await requeue({ branch: branchOf("b", 11, 12) });
  assert.deepEqual(await summary(), [
    "11 pending b",
    "12 pending b",
    "13 scheduled null waits",
    "14 scheduled null waits",
    "15 scheduled null waits",
    "17 pending null",
  ]);
  const kept = await world.rows(
    `select from processing_jobs where block_number between 13 and 15 and metadata = '{"mine": true}'`,
  );
  assert.equal(kept.length, 3);
});

test("suspended jobs run when the head reaches them, whether the head is enqueued or not", async () => {
  for (const autoEnqueue of [true, false]) {
    await world.rows("truncate processing_jobs, processing_head");
    await advance({ headers: branchOf("a", 10, 14), startBlock: 10, autoEnqueue });
    if (!autoEnqueue) await insert(10, 14, "completed");
    await inTransaction(world.pool, async (tx) => {
      await requeueAbove(tx, { forkBlock: 10, branch: branchOf("b", 11, 11), oldHead: 14, stored: [] });
      await rewindHead(tx, 12);
    });
    await advance({ headers: branchOf("b", 11, 13), fresh: branchOf("b", 12, 13), autoEnqueue });
    assert.deepEqual(
      (await summary()).slice(1),
      ["11 pending b", "12 pending b", "13 pending b", "14 scheduled null waits"],
      `autoEnqueue ${autoEnqueue}`,
    );
  }
});

test("cancelled jobs stay cancelled", async () => {
  await insert(11, 14, "cancelled");
  await requeue({ branch: branchOf("b", 11, 12) });
  assert((await jobs()).every(({ status }) => status === "cancelled"));
});

test("a failed job right at the fork runs again: its neighbour may have been what it failed for", async () => {
  await insert(9, 10, "failed");
  await requeue();
  assert.deepEqual(await summary(), ["9 failed a", "10 pending a"]);
});

test("archived blocks, and stored ones that have lost their job, get one again", async () => {
  await world.rows("update processing_coverage set blocks = '{[0,13),[20,30)}'");
  await requeue({ branch: branchOf("b", 11, 11), oldHead: 25, stored: [14] });
  assert.deepEqual(await summary(), [
    "11 pending b",
    "12 scheduled null waits",
    "14 scheduled null waits",
    ...numbers(20, 25).map((number) => `${number} scheduled null waits`),
  ]);
});

test("pending jobs in the window learn which hash is wanted; completed ones do not change", async () => {
  await insert(11, 11, "completed", null);
  await insert(12, 12, "pending", null);
  await insert(13, 13, "scheduled", null);
  await insert(14, 14, "failed", null);
  await advance({ headers: branchOf("a", 11, 14), autoEnqueue: false });
  assert.deepEqual(await summary(), [
    "11 completed null",
    "12 pending a",
    "13 scheduled a",
    "14 failed null",
  ]);
  assert.deepEqual(
    await wantedHashes(world.pool, 11),
    new Map([
      [12, hashOf("a", 12)],
      [13, hashOf("a", 13)],
    ]),
  );
});

test("the newest wanted block and the claims by number are told; cancelled jobs want nothing", async () => {
  assert.equal(await newestWanted(world.pool), null);
  await insert(11, 12, "pending");
  await insert(13, 13, "cancelled");
  await insert(14, 14, "processing", null);
  await insert(15, 15, "processing");
  assert.equal(await newestWanted(world.pool), 15);
  const known = await readKnownBlocks(world.pool, { from: 12, afterDoubt: 0 });
  assert.deepEqual(known.claimed, [14]);
  assert.deepEqual(
    known.wanted.map(([number]) => number),
    [12, 15],
  );
  assert.deepEqual((await readKnownBlocks(world.pool, { from: 15, afterDoubt: 0 })).claimed, []);
});

test("below what may still change, jobs that are not done want whatever is canonical", async () => {
  await insert(2, 3, "processing", null);
  await insert(5, 5, "completed");
  await insert(6, 6, "pending");
  await insert(7, 7, "processing");
  await insert(8, 8, "failed");
  await insert(9, 9, "scheduled", null);
  await world.rows("update processing_jobs set run_at = 'infinity', suspended = true where block_number = 9");
  await world.rows(
    `insert into processing_jobs (block_number, run_at, block_hash) values (10, now() + interval '1 hour', decode(repeat('aa', 32), 'hex'))`,
  );
  await insert(11, 11, "pending");
  assert.equal(await unpinBelow(world.pool, { below: 11, claimsFrom: 3 }), 6);
  assert.deepEqual(await summary(), [
    "2 processing null",
    "3 pending null",
    "5 completed a",
    "6 pending null",
    "7 pending null",
    "8 pending null",
    "9 pending null",
    "10 scheduled null",
    "11 pending a",
  ]);
});

test("after a reorg to a shorter branch, the head goes on behind it; to a longer one, behind the old one", async () => {
  await advance({ headers: branchOf("a", 10, 14), startBlock: 10 });
  await inTransaction(world.pool, (tx) => rewindHead(tx, 20));
  assert.equal((await readHead(world.pool))?.nextBlock, 15);
  await inTransaction(world.pool, (tx) => rewindHead(tx, 12));
  assert.equal((await readHead(world.pool))?.nextBlock, 12);
  assert.equal(await advance({ headers: branchOf("b", 11, 13) }), 2);
});

test("a reorg that is undone before anybody follows leaves it to the first one where to begin", async () => {
  await advance({ headers: branchOf("a", 10, 14), autoEnqueue: false });
  await inTransaction(world.pool, (tx) => rewindHead(tx, 12));
  assert.equal((await readHead(world.pool))?.nextBlock, null);
});

test("a reorg is told on the schema's channel when it commits, however long the schema's name is", async () => {
  for (const schema of ["public", "a".repeat(48)]) {
    const channel = reorgsChannel(schema);
    assert(channel.length < 64);
    const reorg = {
      forkBlock: 10,
      depth: 2,
      oldHead: 12,
      newHead: 13,
      oldHash: hashOf("a", 11),
      newHash: hashOf("b", 11),
      rowsRemoved: { blocks: 2 },
      toldBy: "one",
      confirmedBy: "two",
    };
    const listener = await world.pool.connect();
    try {
      await listener.query(`listen "${channel}"`);
      const told = new Promise((resolve) => listener.once("notification", ({ payload }) => resolve(payload)));
      await inTransaction(world.pool, (tx) => recordReorg(tx, schema, reorg));
      const [row] = await world.rows<{ id: string }>(
        "select id::text from reorgs order by reorgs.id desc limit 1",
      );
      assert.equal(await told, row?.id);
    } finally {
      await listener.query("unlisten *");
      listener.release();
    }
  }
});

test("an alert is raised once, gets the newest message, and is cleared", async () => {
  await raiseAlert(world.pool, "reorg_too_deep", "first");
  await raiseAlert(world.pool, "reorg_too_deep", "second");
  await clearAlert(world.pool, "reorg_too_deep");
  await clearAlert(world.pool, "reorg_too_deep");
  await raiseAlert(world.pool, "reorg_too_deep", "third");
  assert.deepEqual(await world.rows("select message, cleared_at is null as open from alerts order by id"), [
    { message: "second", open: false },
    { message: "third", open: true },
  ]);
});
