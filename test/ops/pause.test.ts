import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { blockmill, startBlockmill } from "../cli/blockmill.js";
import { assertCleanStop, numbers, type Scene, setScene, until } from "../daemon/scene.js";
import { createDatabase } from "../support/database.js";

/** Long enough for a worker that was woken to claim, were it allowed to. */
const longEnoughMs = 500;

async function assertUntouched(scene: Scene, blocks: number): Promise<void> {
  await sleep(longEnoughMs);
  const jobs = await scene.jobs();
  assert.equal(jobs.length, blocks);
  for (const { status, attempts } of jobs) assert.deepEqual([status, attempts], ["pending", 0]);
}

async function setPausedScene(t: TestContext): Promise<{ scene: Scene; env: Record<string, string> }> {
  const scene = await setScene(t);
  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl, BLOCKMILL_RPC_URLS: scene.node.url };
  const { code, stdout, stderr } = await blockmill(["pause", "--reason", "moving house"], env);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "Paused. Nothing is in hand.\n");
  return { scene, env };
}

test("while a schema is paused no daemon claims, also one that starts later; a resume wakes the workers of all", async (t) => {
  const scene = await setScene(t);
  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl };
  const early = await scene.start({ pipeline: { workers: 1 } });
  assert.equal((await blockmill(["pause"], env)).stdout, "Paused. Nothing is in hand.\n");
  await scene.insert(1, 60);
  const late = await scene.start({ pipeline: { workers: 1 } });
  await assertUntouched(scene, 60);
  assert.match((await blockmill(["pause"], env)).stdout, /^It was paused already\./);

  // Slow enough that one of them cannot have it all.
  await scene.node.setFaults({ latencyMs: 30 });
  assert.equal((await blockmill(["resume"], env)).stdout, "Resumed.\n");
  const jobs = await scene.settled();
  const hosts = new Set(jobs.map(({ worker_id }) => worker_id?.replace(/\/.*$/, "")));
  assert.deepEqual([...hosts].sort(), [early.supervisorId, late.supervisorId].sort());
  await scene.assertWrittenOnce(numbers(1, 60));
  assert.equal((await blockmill(["resume"], env)).stdout, "It was not paused.\n");
  assert.deepEqual(await late.stop(), { code: 0, signal: null });
  await assertCleanStop(early, scene.pool);
});

test("what is in hand at a pause is finished, which --wait waits for, and nothing is begun after it", async (t) => {
  const scene = await setScene(t);
  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl };
  // Some ten blocks a second: they outlast the start of a command on a busy machine.
  const daemon = await scene.start({ pipeline: { batch_size: 4, fetch_concurrency: 1 } });
  await scene.node.setFaults({ latencyMs: 100 });
  await scene.insert(1, 400);
  await until(async () => (await scene.jobs()).some(({ status }) => status === "completed"), "a first block");
  await scene.claimed(1);

  const { code, stdout, stderr } = await blockmill(["pause", "--wait"], env);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "Paused. Nothing is in hand.\n");
  const atPause = await scene.jobs();
  assert.deepEqual(new Set(atPause.map(({ status }) => status)), new Set(["completed", "pending"]));
  await sleep(longEnoughMs);
  assert.deepEqual(await scene.jobs(), atPause);

  await scene.node.clearFaults();
  await blockmill(["resume"], env);
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 400));
  await assertCleanStop(daemon, scene.pool);
});

test("a claim that was being made at a pause is waited for, and not told as a job where it found none", async (t) => {
  const { pool, url, drop } = await createDatabase();
  t.after(drop);
  const claim = await pool.connect();
  await claim.query("begin");
  await claim.query("lock table processing_control in access share mode");
  await claim.query("lock table processing_jobs in row exclusive mode");
  const pausing = blockmill(["pause"], { BLOCKMILL_DATABASE_URL: url });
  const counted = `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
    and query like 'select count(*)%processing_jobs%'`;
  await until(async () => (await pool.query(counted)).rowCount === 1, "a first count of what is in hand");
  await claim.query("commit");
  claim.release();
  assert.equal((await pausing).stdout, "Paused. Nothing is in hand.\n");
});

test("a pause by hand, in psql, is a pause too", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start();
  await scene.pool.query("update processing_control set paused_at = now(), reason = 'by hand'");
  await scene.insert(1, 5);
  await assertUntouched(scene, 5);
  await scene.pool.query("update processing_control set paused_at = null");
  await scene.settled();
  await assertCleanStop(daemon, scene.pool);
});

test("status shows the pause and its reason", async (t) => {
  const { env } = await setPausedScene(t);
  const { stdout } = await blockmill(["status"], env);
  assert.match(stdout, /paused +for .+ by \S+ on \S+, "moving house"; blockmill resume ends it/);
  const json = JSON.parse((await blockmill(["status", "--json"], env)).stdout);
  assert.equal(json.pause.reason, "moving house");
  assert.match(json.pause.by, /^\S+ on \S+$/);
  await blockmill(["resume"], env);
  assert.doesNotMatch((await blockmill(["status"], env)).stdout, /paused/);
});

test("range and single say that the schema is paused, and go on by themselves at the resume", async (t) => {
  const { scene, env } = await setPausedScene(t);
  const range = await startBlockmill(["range", "1", "5", "--workers", "1"], env);
  const single = await startBlockmill(["single", "7"], env);
  for (const program of [range, single]) {
    await program.line(/waiting, the schema is paused for .*"moving house"; blockmill resume ends it/, {});
  }
  await until(async () => (await scene.jobs()).length === 6, "the jobs");
  await assertUntouched(scene, 6);
  await blockmill(["resume"], env);
  for (const program of [range, single]) {
    const { code, stderr } = await program.ended;
    assert.equal(code, 0, stderr);
  }
  await scene.assertWrittenOnce([1, 2, 3, 4, 5, 7]);
});
