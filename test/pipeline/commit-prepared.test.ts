// A commit's rows and its jobs, together or not at all.

import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { commitBatch } from "../../src/pipeline/pipeline.js";
import { assertCanonical, forgetRows, numbers, useWorld, workerOf } from "../orchestrator/scene.js";
import { scriptChain } from "../orchestrator/scripted-chain.js";

const world = useWorld();

async function scene(blocks: number) {
  const chain = scriptChain();
  chain.canonical.mine(blocks);
  await world.rows("insert into processing_jobs (block_number) select generate_series(1, $1::int)", [blocks]);
  return { chain, worker: workerOf(world, chain) };
}

const stored = async () =>
  (await world.rows<{ number: number }>("select number from blocks order by 1")).map(({ number }) => number);

const handOn = (blocks: number[]) =>
  world.rows(
    "update processing_jobs set worker_id = 'b/w1', claims = claims + 1 where block_number = any ($1)",
    [blocks],
  );

test("where some claims of a batch were handed on, the others are committed, and nothing of these is written", async () => {
  const { chain, worker } = await scene(8);
  const batch = await worker.prepare(6);
  await handOn([1, 3, 4]);
  assert.deepEqual(await worker.commit(batch), { completed: 3, failed: 0, lost: 3 });
  assert.deepEqual(await stored(), [2, 5, 6]);
  await assertCanonical(world, chain, [2, 5, 6]);
  assert.deepEqual(
    await world.rows(
      "select block_number from processing_jobs where worker_id = 'b/w1' and status = 'processing' order by 1",
    ),
    [{ block_number: 1 }, { block_number: 3 }, { block_number: 4 }],
  );
});

test("where all claims of a batch were handed on, nothing is written", async () => {
  const { worker } = await scene(3);
  const batch = await worker.prepare();
  await handOn(numbers(1, 3));
  assert.deepEqual(await worker.commit(batch), { completed: 0, failed: 0, lost: 3 });
  assert.deepEqual(await stored(), []);
});

test("rows wait for the disk, also on the connection of a claim that did not", async (t) => {
  await world.rows("create table settings_at_commit (synchronous_commit text)");
  await world.rows(`create function note_setting() returns trigger language plpgsql as $$
    begin insert into settings_at_commit select current_setting('synchronous_commit'); return null; end $$`);
  // Deferred: it runs as the transaction commits.
  await world.rows(`create constraint trigger note_setting after insert on blocks
    deferrable initially deferred for each row execute function note_setting()`);
  t.after(() => world.rows("drop function note_setting cascade"));
  const { worker } = await scene(2);
  await worker.commit(await worker.prepare(1));
  assert.deepEqual(await world.rows("select * from settings_at_commit"), [{ synchronous_commit: "on" }]);
});

test("a batch that must be committed again still has its own rows", async () => {
  const { chain, worker } = await scene(4);
  const batch = await worker.prepare(2);
  const failing = batch.prepared.pop();
  assert(failing !== undefined);
  batch.failed.push({ job: failing.job, error: new Error("of the test") });
  const pool = withoutQueries(worker.pipeline.pool);
  await assert.rejects(commitBatch({ ...worker.pipeline, pool }, batch), { code: "ECONNRESET" });
  assert.deepEqual(await stored(), [1]);
  // Prepared beside the commit: it needs memory for its rows.
  await worker.prepare(2);
  // The server comes back without its last transaction, as a standby that had not heard of it.
  await forgetRows(world, 1);
  await world.rows("update processing_jobs set status = 'processing', result = null where block_number = 1");
  assert.deepEqual(await worker.commit(batch), { completed: 1, failed: 1, lost: 0 });
  await assertCanonical(world, chain, [1]);
});

test("a block that PostgreSQL refuses fails alone, and the others of its batch are committed", async (t) => {
  await world.rows(`create function refuse() returns trigger language plpgsql as $$
    begin if new.number = 2 then raise exception 'refused'; end if; return new; end $$`);
  await world.rows(`create trigger refuse before insert on blocks for each row execute function refuse()`);
  t.after(() => world.rows("drop function refuse cascade"));
  const { chain, worker } = await scene(3);
  assert.deepEqual(await worker.commit(await worker.prepare()), { completed: 2, failed: 1, lost: 0 });
  await assertCanonical(world, chain, [1, 3]);
  assert.equal((await world.statuses())[2], "scheduled");
});

test("a block that is stored already is written again in its place", async () => {
  const { chain, worker } = await scene(2);
  await worker.finish();
  await world.rows(
    "update processing_jobs set status = 'pending', completed_at = null where block_number = 2",
  );
  await world.rows("delete from transactions where block_number = 2");
  assert.deepEqual(await worker.commit(await worker.prepare()), { completed: 1, failed: 0, lost: 0 });
  await assertCanonical(world, chain, [1, 2]);
});

/** A pool that makes transactions, and loses every statement outside of one. */
function withoutQueries(pool: pg.Pool): pg.Pool {
  const query = () =>
    Promise.reject(Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" }));
  return Object.assign(Object.create(pool) as pg.Pool, { query });
}
