import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import pg from "pg";
import { inTransaction } from "../../src/db/pool.js";
import { cancelJobs, retryJobs } from "../../src/queue/by-hand.js";
import { claimJobs } from "../../src/queue/claim.js";
import { giveBack } from "../../src/queue/give-back.js";
import { jobsChannel } from "../../src/queue/job.js";
import { nextDueInMs, promoteDue } from "../../src/queue/promote.js";
import { openRange } from "../../src/queue/ranges.js";
import { releaseWorker } from "../../src/queue/release.js";
import { completeJobs } from "../support/complete-jobs.js";
import { waitFor } from "../support/process.js";
import { projectRoot } from "../support/project.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

/**
 * What is notified on the channels while `work` runs. Notifications arrive in the order of their
 * commits: when the last one is here, so are all before it.
 */
async function heardDuring(
  work: () => Promise<unknown>,
  channels = ["blockmill_jobs_public"],
): Promise<string[]> {
  const client = new pg.Client({ connectionString: queue.url, application_name: "blockmill-test listener" });
  await client.connect();
  try {
    const heard: string[] = [];
    const last = new Promise<void>((resolve) => {
      client.on("notification", ({ channel, payload }) => {
        if (channel === "the_end") resolve();
        else heard.push(`${channel}:${payload}`);
      });
    });
    for (const channel of [...channels, "the_end"]) await client.query(`listen "${channel}"`);
    await work();
    await queue.rows("notify the_end");
    await last;
    return heard;
  } finally {
    await client.end();
  }
}

const once = ["blockmill_jobs_public:"];

test("inserting 10,000 jobs in one statement notifies once, with an empty payload", async () => {
  const heard = await heardDuring(() =>
    queue.rows("insert into processing_jobs (block_number) select generate_series(1, 10000)"),
  );
  assert.deepEqual(heard, once);
});

test("a statement's trigger runs once, however many rows it inserts", async () => {
  const calls = async () => {
    const rows = await queue.rows<{ calls: number }>(
      "select calls from pg_stat_user_functions where funcname = 'processing_jobs_notify'",
    );
    return rows[0]?.calls ?? 0;
  };
  const before = await calls();
  await inTransaction(queue.pool, async (tx) => {
    await tx.query("set local track_functions = 'pl'");
    await tx.query("insert into processing_jobs (block_number) select generate_series(1, 1000)");
    await tx.query("select pg_stat_force_next_flush()");
  });
  await waitFor(async () => (await calls()) > before, { what: "the count of calls" });
  assert.equal(await calls(), before + 1);
});

test("whatever makes a job pending or scheduled again notifies", async () => {
  await queue.insert([1, 2, 3], "failed");
  const statements = [
    "update processing_jobs set status = 'pending'",
    "update processing_jobs set run_at = now() + interval '1 hour'",
    "update processing_jobs set run_at = now() + interval '1 minute'",
    "update processing_jobs set status = 'pending', run_at = now()",
  ];
  for (const sql of statements) assert.deepEqual(await heardDuring(() => queue.rows(sql)), once, sql);
  await heardDuring(() => cancelJobs(queue.pool, { from: 1, to: 3 }));
  assert.deepEqual(await heardDuring(() => retryJobs(queue.pool, { from: 1, to: 3 })), once);

  const jobs = await claimJobs(queue.pool, { workerId: "a/w1", limit: 2 });
  const tokens = jobs.map(({ token }) => token);
  assert.deepEqual(await heardDuring(() => giveBack(queue.pool, "a/w1", tokens)), once);
  await claimJobs(queue.pool, { workerId: "a/w1", limit: 2 });
  assert.deepEqual(
    await heardDuring(() => releaseWorker(queue.pool, "a/w1", { maxDeaths: 3, reason: "died" })),
    once,
  );
});

test("claims, completions, cancellations and deletions of jobs notify nobody", async () => {
  await queue.insert(numbers(1, 10));
  const heard = await heardDuring(async () => {
    const jobs = await claimJobs(queue.pool, { workerId: "a/w1", limit: 10 });
    const completions = jobs.slice(0, 5).map(({ token }) => ({ token, result: {} }));
    await inTransaction(queue.pool, (tx) => completeJobs(tx, "a/w1", completions));
    await queue.rows("update processing_jobs set status = 'cancelled' where status = 'processing'");
    await queue.rows("update processing_jobs set metadata = '{}'");
    await queue.rows("delete from processing_jobs");
  });
  assert.deepEqual(heard, []);
});

test("a transaction that is rolled back notifies nobody", async () => {
  const heard = await heardDuring(() =>
    inTransaction(queue.pool, async (tx) => {
      await tx.query("insert into processing_jobs (block_number) values (1)");
      throw new Error("no");
    }).catch(() => {}),
  );
  assert.deepEqual(heard, []);
});

test("a new range notifies", async () => {
  assert.deepEqual(await heardDuring(() => openRange(queue.pool, { from: 1, to: 5 })), once);
});

test("each schema has its own channel", async () => {
  await queue.rows("create schema other_chain");
  await inTransaction(queue.pool, async (tx) => {
    await tx.query("set local search_path = other_chain");
    await tx.query(await readFile(`${projectRoot}schema.sql`, "utf8"));
  });
  const channels = [jobsChannel("public"), jobsChannel("other_chain")];
  const heard = await heardDuring(
    () => queue.rows("insert into other_chain.processing_jobs (block_number) values (1)"),
    channels,
  );
  assert.deepEqual(heard, [`${jobsChannel("other_chain")}:`]);
  assert.deepEqual(await heardDuring(() => queue.insert([1]), channels), once);
});

test("a job that is inserted with a time in the future is scheduled, and cannot be claimed", async () => {
  await queue.rows(
    "insert into processing_jobs (block_number, run_at) values (1, now() + interval '1 hour')",
  );
  assert.equal((await queue.job(1)).status, "scheduled");
  assert.deepEqual(await claimJobs(queue.pool, { workerId: "a/w1", limit: 1 }), []);
  const ms = await nextDueInMs(queue.pool);
  assert(ms !== null && ms > 3_590_000 && ms <= 3_600_000, String(ms));
});

test("a pending job that is put off is scheduled, and one in the past is claimed at once", async () => {
  await queue.rows(
    "insert into processing_jobs (block_number, run_at) values (1, now() - interval '1 day'), (2, now())",
  );
  assert.deepEqual(await queue.statuses(), { 1: "pending", 2: "pending" });
  await queue.rows("update processing_jobs set run_at = now() + interval '1 hour' where block_number = 2");
  assert.deepEqual(await queue.statuses(), { 1: "pending", 2: "scheduled" });
});

test("jobs that are due become pending, those that came due first first, at most so many", async () => {
  await queue.rows(
    `insert into processing_jobs (block_number, run_at)
     select n, now() + n * interval '1 hour' from generate_series(1, 6) as n`,
  );
  assert.equal(await promoteDue(queue.pool, 10), 0);
  // Four become due; a scheduled row stays so until it is promoted.
  await queue.rows("update processing_jobs set run_at = run_at - interval '4 hours 30 minutes'");
  assert.equal(await nextDueInMs(queue.pool), 0);
  assert.deepEqual(await heardDuring(() => promoteDue(queue.pool, 3)), once);
  assert.deepEqual(await queue.statuses(), {
    1: "pending",
    2: "pending",
    3: "pending",
    4: "scheduled",
    5: "scheduled",
    6: "scheduled",
  });
  assert.equal(await promoteDue(queue.pool, 3), 1);
  const ms = await nextDueInMs(queue.pool);
  assert(ms !== null && ms > 29 * 60_000 && ms <= 30 * 60_000, String(ms));
});

test("with nothing scheduled, nothing is due", async () => {
  await queue.insert([1, 2]);
  assert.equal(await nextDueInMs(queue.pool), null);
});
