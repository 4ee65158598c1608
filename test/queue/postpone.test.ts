import assert from "node:assert/strict";
import { test } from "node:test";
import { inTransaction } from "../../src/db/pool.js";
import { claimJobs } from "../../src/queue/claim.js";
import { advanceHead } from "../../src/queue/head.js";
import { postponeJob } from "../../src/queue/postpone.js";
import { waitFor } from "../support/process.js";
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

const waitsForLock = () =>
  waitFor(
    async () =>
      (
        await queue.rows(
          `select from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid() and wait_event_type = 'Lock'`,
        )
      ).length > 0,
    { what: "a statement to wait for the head" },
  );

const arrive = (number: number) =>
  advanceHead(queue.pool, {
    chainId: 1,
    headers: [{ number, hash: `0x${"22".repeat(32)}`, timestamp: 1_700_000_000 }],
    fresh: [],
    safeBlock: null,
    finalizedBlock: null,
    startBlock: null,
    priorityBlocks: 3,
    autoEnqueue: false,
  });

test("a job that is postponed while its head arrives waits as one that is not above the head", async () => {
  const postponement = await claim(101);
  await queue.rows("update processing_jobs set absences = 20");
  let postponed: Promise<boolean> = Promise.resolve(false);
  await inTransaction(queue.pool, async (tx) => {
    await tx.query("update processing_head set head_number = 101");
    postponed = postponeJob(queue.pool, postponement);
    postponed.catch(() => {});
    await waitsForLock();
  });
  assert.equal(await postponed, true);
  const { seconds, last_error } = await waitOf();
  assert(seconds <= 30, `${seconds} s`);
  assert.equal(last_error, "node does not have it; waiting");
});

test("a head that arrives while a job is postponed for it wakes the job", async () => {
  const postponement = await claim(101);
  let arrived: Promise<number> = Promise.resolve(0);
  await inTransaction(queue.pool, async (tx) => {
    assert.equal(await postponeJob(tx, postponement), true);
    arrived = arrive(101);
    arrived.catch(() => {});
    await waitsForLock();
  });
  await arrived;
  assert.equal((await queue.job(101)).status, "pending");
});
