// Rows that anybody may write who may insert jobs: none of them stops the others.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCleanStop, setScene, until } from "./scene.js";

test("a block or range beyond 2^53 - 2, or an id that JavaScript cannot count, is refused where it is inserted", async (t) => {
  const { pool } = await setScene(t);
  const refused = { code: "23514" };
  const job = (block: string, more = "") =>
    pool.query(`insert into processing_jobs (block_number) ${more} values (${block})`);
  const range = (from: string, to: string) =>
    pool.query("insert into processing_ranges (from_block, to_block, next_block) values ($1, $2, $1)", [
      from,
      to,
    ]);
  await assert.rejects(job("9007199254740991"), refused);
  await assert.rejects(job("9007199254740993"), refused);
  await assert.rejects(job("9223372036854775807"), refused);
  await assert.rejects(job("-1"), refused);
  await assert.rejects(range("1", "9007199254740991"), refused);
  await assert.rejects(range("9223372036854775806", "9223372036854775806"), refused);
  for (const id of ["9007199254740991", "-1"])
    await assert.rejects(
      pool.query(`insert into processing_jobs (id, block_number) overriding system value values (${id}, 1)`),
      refused,
    );
  await job("9007199254740990");
  await range("9007199254740990", "9007199254740990");
});

test("counters at their end, times at infinity and a hash beyond the head stop nobody", async (t) => {
  const scene = await setScene(t);
  const { pool, node } = scene;
  await pool.query(`
    insert into processing_jobs (block_number, claims, attempts, deaths, created_at, run_at, status, worker_id, started_at, block_hash)
    values
      (1, 2147483647, 0, 0, now(), now(), 'pending', null, null, null),
      (2, 0, 2147483647, 0, now(), now(), 'pending', null, null, null),
      (3, 0, 0, 2147483647, now(), now(), 'pending', null, null, null),
      (4, 0, 0, 0, 'infinity', '-infinity', 'pending', null, null, null),
      (5, 0, 0, 0, '-infinity', '-infinity', 'pending', null, null, null),
      (6, 0, 0, 0, now(), now(), 'processing', 'nobody/w1', 'infinity', null),
      (7, 0, 0, 0, now(), now(), 'processing', 'nobody/w1', '-infinity', null),
      (8, 0, 0, 0, now(), 'infinity', 'pending', null, null, null),
      (401, 0, 0, 0, now(), 'infinity', 'pending', null, null, null),
      (1000000, 0, 0, 0, now(), 'infinity', 'pending', null, null, decode(repeat('ab', 32), 'hex'))`);
  const daemon = await scene.start({ pipeline: { auto_enqueue: true, check_interval: 0.2 } });
  await node.mine(3);
  const open = async () =>
    (await scene.jobs())
      .filter(({ status }) => status !== "completed")
      .map(({ block_number }) => block_number);
  const parked = [8, 401, 1_000_000];
  const isDone = async () =>
    (await scene.jobs()).some((job) => job.block_number === 403 && job.status === "completed") &&
    (await open()).every((block) => parked.includes(block));
  await until(isDone, "all but the parked jobs").catch(async (error) => {
    throw new Error(
      `${error.message}: ${JSON.stringify((await scene.jobs()).filter(({ status }) => status !== "completed"))}`,
    );
  });
  await node.reorg({ depth: 1, length: 3 });
  // Parked for ever, also where the head and a reorg went over it; and a person wakes it.
  await until(async () => {
    const isFollowed = (await scene.jobs()).some(
      (job) => job.block_number === 405 && job.status === "completed",
    );
    return isFollowed && (await open()).every((block) => parked.includes(block));
  }, "the new branch's blocks");
  assert.deepEqual(await open(), parked);
  const counters = await pool.query(
    "select claims, attempts from processing_jobs where block_number in (1, 2) order by block_number",
  );
  assert.deepEqual(counters.rows, [
    { claims: 2147483647, attempts: 1 },
    { claims: 1, attempts: 2147483647 },
  ]);
  await pool.query("update processing_jobs set run_at = now() where block_number in (8, 401)");
  await until(async () => (await open()).length === 1, "the jobs that were woken");
  await assertCleanStop(daemon, pool);
});
