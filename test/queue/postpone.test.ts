import assert from "node:assert/strict";
import { test } from "node:test";
import { claimJobs } from "../../src/queue/claim.js";
import { postponeJob } from "../../src/queue/postpone.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

/** A claimed job, with the head at 100 and block 90 final. */
async function claim(block: number) {
  await queue.rows(`insert into processing_head (chain_id, head_number, head_hash, head_time, finalized_block)
    values (1, 100, decode(repeat('11', 32), 'hex'), now(), 90) on conflict do nothing`);
  await queue.rows(
    `insert into processing_jobs (block_number) values (${block}) on conflict (block_number) do update set status = 'pending', run_at = now()`,
  );
  const [job] = await claimJobs(queue.pool, { workerId: "host.1.a/w1", limit: 1 });
  assert(job !== undefined);
  return { token: job.token, message: "node does not have it", onlyAboveFinality: false, finalityDepth: 64 };
}

const waitOf = async () => {
  const { rows } = await queue.pool.query(
    "select status, attempts, absences, last_error, extract(epoch from run_at - clock_timestamp())::float8 as seconds from processing_jobs",
  );
  return rows[0];
};

test("a postponed job keeps its attempts, waits longer each time, and its token is spent", async () => {
  let before = 0;
  for (let absences = 1; absences <= 8; absences += 1) {
    const postponement = await claim(95);
    assert.equal(await postponeJob(queue.pool, postponement), true);
    const { status, attempts, seconds, ...row } = await waitOf();
    assert.deepEqual([status, attempts, row.absences], ["scheduled", 0, absences]);
    assert.equal(row.last_error, "node does not have it; waiting");
    if (absences % 3 === 0) {
      assert(seconds > before);
      before = seconds;
    }
    assert.equal(await postponeJob(queue.pool, postponement), false);
  }
});

test("a job above the head says that it waits for the head", async () => {
  assert.equal(await postponeJob(queue.pool, await claim(101)), true);
  assert.equal((await waitOf()).last_error, "node does not have it yet (head 100); waiting for the head");
});

test("what may only be half there is waited for above finality, and no longer below it", async () => {
  assert.equal(await postponeJob(queue.pool, { ...(await claim(91)), onlyAboveFinality: true }), true);
  await queue.rows("delete from processing_jobs");
  assert.equal(await postponeJob(queue.pool, { ...(await claim(90)), onlyAboveFinality: true }), false);
});
