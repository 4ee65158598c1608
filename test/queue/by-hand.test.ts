import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { inTransaction } from "../../src/db/pool.js";
import { cancelJobs, retryJobs } from "../../src/queue/by-hand.js";
import { claimJobs } from "../../src/queue/claim.js";
import { completeJobs } from "../support/complete-jobs.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

async function oneOfEach(): Promise<void> {
  const statuses = ["pending", "scheduled", "processing", "completed", "failed", "cancelled"];
  for (const [n, status] of statuses.entries()) await queue.insert([n], status);
}

test("retry runs failed and cancelled jobs again, with fresh attempts, and no others", async () => {
  await oneOfEach();
  await queue.insert([7], "failed");
  await queue.rows(
    "update processing_jobs set attempts = 3, deaths = 2 where status in ('failed', 'cancelled')",
  );
  assert.equal(await retryJobs(queue.pool, { from: 0, to: 6 }), 2);
  assert.deepEqual(await queue.statuses(), {
    0: "pending",
    1: "scheduled",
    2: "processing",
    3: "completed",
    4: "pending",
    5: "pending",
    7: "failed",
  });
  const { attempts, deaths } = await queue.job(4);
  assert.deepEqual({ attempts, deaths }, { attempts: 0, deaths: 0 });
});

test("cancel takes every job that is not finished, and no others", async () => {
  await oneOfEach();
  assert.deepEqual(await cancelJobs(queue.pool, { from: 0, to: 6 }), { jobs: 3, ranges: 0 });
  assert.deepEqual(await queue.statuses(), {
    0: "cancelled",
    1: "cancelled",
    2: "cancelled",
    3: "completed",
    4: "failed",
    5: "cancelled",
  });
});

test("a cancel of many goes in bites: what one has committed, no later failure takes back", async () => {
  await queue.insert(numbers(1, 25));
  await queue.rows("update processing_jobs set block_number = 1000000 where block_number = 25");
  await queue.rows(`create function no_more() returns trigger language plpgsql as
    $$ begin raise exception 'the disk is full' using errcode = '53100'; end $$`);
  await queue.rows(`create trigger no_more before update on processing_jobs for each row
    when (new.status = 'cancelled' and new.block_number = 22) execute function no_more()`);
  const all = { from: 0, to: 2_000_000, atOnce: 10 };
  try {
    await assert.rejects(cancelJobs(queue.pool, all), /the disk is full/);
  } finally {
    await queue.rows("drop function no_more cascade");
  }
  const cancelled = async () => (await queue.jobs()).filter(({ status }) => status === "cancelled").length;
  assert.equal(await cancelled(), 20);
  assert.deepEqual(await cancelJobs(queue.pool, all), { jobs: 5, ranges: 0 });
  assert.equal(await cancelled(), 25);
});

test("a job that is cancelled while it is processed cannot be completed", async () => {
  await queue.insert([7]);
  const [job] = await claimJobs(queue.pool, { workerId: "a/w1", limit: 1 });
  assert(job !== undefined);
  await cancelJobs(queue.pool, { from: 7, to: 7 });
  const held = await inTransaction(queue.pool, (tx) =>
    completeJobs(tx, "a/w1", [{ token: job.token, result: {} }]),
  );
  assert.equal(held.size, 0);
  assert.deepEqual(await queue.statuses(), { 7: "cancelled" });
});

const nonsense: Record<string, string> = {
  "a negative block number": "insert into processing_jobs (block_number) values (-1)",
  "no block number": "insert into processing_jobs (block_number) values (null)",
  "a second job for a block": "insert into processing_jobs (block_number) values (1), (1)",
  "a status that does not exist": "insert into processing_jobs (block_number, status) values (1, 'done')",
  "processing by nobody": "insert into processing_jobs (block_number, status) values (1, 'processing')",
  "processing since never":
    "insert into processing_jobs (block_number, status, worker_id) values (1, 'processing', 'a/w1')",
  "a short hash": "insert into processing_jobs (block_number, block_hash) values (1, '\\x00')",
  "negative attempts": "insert into processing_jobs (block_number, attempts) values (1, -1)",
  "negative deaths": "insert into processing_jobs (block_number, deaths) values (1, -1)",
  "a chosen id": "insert into processing_jobs (id, block_number) values (1, 1)",
  "a range that runs backwards":
    "insert into processing_ranges (from_block, to_block, next_block) values (5, 4, 5)",
  "a range before the first block":
    "insert into processing_ranges (from_block, to_block, next_block) values (-1, 4, 0)",
  "a range that is beyond its end":
    "insert into processing_ranges (from_block, to_block, next_block) values (1, 4, 6)",
  "a role that is no name":
    "insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version) values ('a', 'a', 'The boss', 'h', 1, '0')",
  "a second coverage": "insert into processing_coverage (one) values (false)",
};

for (const [what, sql] of Object.entries(nonsense)) {
  test(`the schema refuses ${what}`, async () => {
    await assert.rejects(queue.rows(sql), (error: Error) => {
      const { code } = (error.cause ?? error) as pg.DatabaseError;
      // A violated constraint, or a value for a generated column.
      return code?.startsWith("23") === true || code === "428C9";
    });
  });
}
