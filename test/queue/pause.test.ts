import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { inTransaction } from "../../src/db/pool.js";
import { claimJobs } from "../../src/queue/claim.js";
import { countInHand, pauseWork, readPause, requeueInHand, resumeWork } from "../../src/queue/pause.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

beforeEach(() => queue.rows("update processing_control set paused_at = null, reason = null"));

test("while a schema is paused nobody claims, and the first pause keeps its time and reason", async () => {
  await queue.insert([1]);
  assert.equal(await readPause(queue.pool), null);
  assert.equal(await pauseWork(queue.pool, "a new disk"), true);
  assert.equal(await pauseWork(queue.pool, "another reason"), false);
  const pause = await readPause(queue.pool);
  assert.equal(pause?.reason, "a new disk");
  assert(pause.forSeconds >= 0 && pause.forSeconds < 3_600, String(pause.forSeconds));
  assert.deepEqual(await claimJobs(queue.pool, { workerId: "a/w1", limit: 1 }), []);
  assert.equal(await resumeWork(queue.pool), true);
  assert.equal(await resumeWork(queue.pool), false);
  assert.equal((await claimJobs(queue.pool, { workerId: "a/w1", limit: 1 })).length, 1);
});

test("what a pause waits for are the claims under way and the jobs that are claimed", async () => {
  await queue.insert([1, 2, 3]);
  assert.deepEqual(await countInHand(queue.pool), { claims: 0, jobs: 0 });
  await inTransaction(queue.pool, async (tx) => {
    await claimJobs(tx, { workerId: "a/w1", limit: 2 });
    assert.deepEqual(await countInHand(queue.pool), { claims: 1, jobs: 0 });
  });
  assert.deepEqual(await countInHand(queue.pool), { claims: 0, jobs: 2 });
});

test("a write that is no claim is not waited for", async () => {
  await queue.insert([1]);
  await inTransaction(queue.pool, async (tx) => {
    await tx.query("update processing_jobs set priority = 1");
    assert.deepEqual(await countInHand(queue.pool), { claims: 0, jobs: 0 });
  });
});

test("in a restored database every claimed job is pending again, uncounted, and no process is left", async () => {
  await queue.insert([1, 2]);
  await queue.insert([3], "failed");
  await claimJobs(queue.pool, { workerId: "a/w1", limit: 1 });
  await queue.rows(
    `insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version)
     values ('a/w1', 'a', 'worker', 'host', 1, '0')`,
  );
  assert.equal(await inTransaction(queue.pool, requeueInHand), 1);
  assert.deepEqual(await queue.statuses(), { 1: "pending", 2: "pending", 3: "failed" });
  assert.equal((await queue.job(1)).attempts, 0);
  assert.deepEqual(await queue.rows("select from processing_workers"), []);
});
