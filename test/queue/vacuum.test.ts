import assert from "node:assert/strict";
import { test } from "node:test";
import { vacuumJobs } from "../../src/queue/vacuum.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

const pages = async () =>
  (
    await queue.rows<{ pages: number }>("select (pg_relation_size('processing_jobs') / 8192)::int as pages")
  )[0]?.pages;

test("the space of jobs that are gone is used again, and none is given back to the system", async () => {
  await queue.insert(numbers(1, 2_000), "failed");
  const before = await pages();
  await queue.rows("delete from processing_jobs");
  await vacuumJobs(queue.pool);
  assert.equal(await pages(), before);
  await queue.insert(numbers(1, 1_000), "failed");
  assert.equal(await pages(), before);
});

test("a table that somebody has locked is passed over", async () => {
  const holder = await queue.pool.connect();
  try {
    await holder.query("begin; lock table processing_jobs in share update exclusive mode");
    await vacuumJobs(queue.pool);
  } finally {
    await holder.query("rollback");
    holder.release();
  }
});
