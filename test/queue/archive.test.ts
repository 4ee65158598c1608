import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inTransaction } from "../../src/db/pool.js";
import { findAbsent } from "../../src/queue/absent.js";
import { archiveJobs } from "../../src/queue/archive.js";
import { enqueueBlocks } from "../../src/queue/enqueue.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

const archive = (limit = 1_000, olderThanMs = 0) =>
  archiveJobs(queue.pool, { olderThanMs, kept: 1_000_000, keepHistory: true, limit });

async function coverage(): Promise<string> {
  const rows = await queue.rows<{ blocks: string }>("select blocks::text as blocks from processing_coverage");
  return rows[0]?.blocks ?? "";
}

async function coveredBlocks(): Promise<number[]> {
  const rows = await queue.rows<{ n: number }>(
    `select n from processing_coverage, unnest(blocks) as piece,
       generate_series(lower(piece), upper(piece) - 1) as n order by n`,
  );
  return rows.map(({ n }) => n);
}

test("completed jobs of the age are folded into the coverage and deleted, all others stay", async () => {
  await queue.insert([1, 2, 3, 7, 9], "completed");
  await queue.rows(
    "update processing_jobs set completed_at = now() - interval '2 hours' where block_number <> 9",
  );
  await queue.insert([4], "failed");
  await queue.insert([5], "processing");
  await queue.insert([6], "pending");
  await queue.insert([8], "cancelled");

  assert.equal(await archive(1_000, 3_600_000), 4);
  assert.equal(await coverage(), "{[1,4),[7,8)}");
  assert.deepEqual(await queue.statuses(), {
    4: "failed",
    5: "processing",
    6: "pending",
    8: "cancelled",
    9: "completed",
  });
  assert.equal(await archive(1_000, 3_600_000), 0);
});

test("a completed job that a person made pending with psql is not taken for completed", async () => {
  await queue.insert([1], "completed");
  await queue.rows("update processing_jobs set status = 'pending'");
  assert.equal(await archive(), 0);
  assert.deepEqual(await queue.statuses(), { 1: "pending" });
});

test("completed jobs beyond the newest that are kept go whatever their age", async () => {
  await queue.insert(numbers(1, 10), "completed");
  await queue.rows("update processing_jobs set completed_at = now() + block_number * interval '1 ms'");
  const options = { olderThanMs: 3_600_000, keepHistory: false, limit: 1_000 };
  assert.equal(await archiveJobs(queue.pool, { ...options, kept: 10 }), 0);
  assert.equal(await archiveJobs(queue.pool, { ...options, kept: 4 }), 6);
  assert.equal(await coverage(), "{[1,7)}");
});

test("neighbours grow together, whatever order they come in", async () => {
  for (const block of [5, 1, 3, 2, 4]) {
    await queue.insert([block], "completed");
    await archive();
  }
  assert.equal(await coverage(), "{[1,6)}");
});

test("at most so many at once, the oldest first", async () => {
  await queue.insert(numbers(1, 10), "completed");
  await queue.rows(
    "update processing_jobs set completed_at = now() - (block_number || ' minutes')::interval",
  );
  assert.equal(await archive(3), 3);
  assert.equal(await coverage(), "{[8,11)}");
});

test("a job that somebody has locked is passed over, not waited for", async () => {
  await queue.insert([1, 2], "completed");
  await inTransaction(queue.pool, async (person) => {
    await person.query("select from processing_jobs where block_number = 1 for update");
    assert.equal(await archive(), 1);
  });
  assert.equal(await coverage(), "{[2,3)}");
  assert.deepEqual(await queue.statuses(), { 1: "completed" });
});

test("an archived block that is forced runs again, and is covered all the while", async () => {
  await queue.insert([1, 2, 3], "completed");
  await archive();
  assert.equal(await enqueueBlocks(queue.pool, [2]), 0);
  assert.equal(await enqueueBlocks(queue.pool, [2], { force: true }), 1);
  assert.deepEqual(await queue.statuses(), { 2: "pending" });
  await queue.rows("update processing_jobs set status = 'completed', completed_at = now()");
  assert.equal(await archive(), 1);
  assert.equal(await coverage(), "{[1,4)}");
  assert.deepEqual(await queue.jobs(), []);
});

test("no block is ever lost: whatever is completed is a job or covered, also when archives meet", async () => {
  const block = fc.record({
    n: fc.integer({ min: 0, max: 60 }),
    status: fc.constantFrom("completed", "completed", "pending", "failed"),
  });
  const round = fc.uniqueArray(block, { selector: ({ n }) => n, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(round, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 12 }),
      async (rounds, limit) => {
        await queue.rows("truncate processing_jobs");
        await queue.rows("update processing_coverage set blocks = '{}'");
        const done = new Set<number>();
        for (const blocks of rounds) {
          for (const { n, status } of blocks) {
            if (status === "completed") done.add(n);
            await queue.rows(
              `insert into processing_jobs (block_number, status, completed_at)
             values ($1, $2, case $2 when 'completed' then now() - random() * interval '1 hour' end)
             on conflict (block_number) do nothing`,
              [n, status],
            );
            if ((await queue.job(n)).status !== "completed" && !(await coveredBlocks()).includes(n))
              done.delete(n);
          }
          const counts = await Promise.all([archive(limit), archive(limit), archive(limit)]);
          const jobs = await queue.statuses();
          const completed = Object.keys(jobs).filter((n) => jobs[Number(n)] === "completed");
          const covered = await coveredBlocks();
          assert(counts.every((count) => count <= limit));
          assert.deepEqual(
            [...new Set([...covered, ...completed.map(Number)])].sort((a, b) => a - b),
            [...done].sort((a, b) => a - b),
          );
        }
      },
    ),
    { numRuns: 25 },
  );
});

test("numbers without a block are remembered as absent, until a block is stored there", async () => {
  await queue.insert([1, 2, 3], "completed");
  await queue.rows(`update processing_jobs set result = '{"absent": true}' where block_number = 2`);
  const absent = () => findAbsent(queue.pool, [{ from: 0, to: 10 }]);
  assert.deepEqual(await absent(), [{ from: 2, to: 2 }]);
  assert.equal(await archive(), 3);
  assert.equal(await coverage(), "{[1,4)}");
  assert.deepEqual(await absent(), [{ from: 2, to: 2 }]);
  await queue.insert([2], "completed");
  assert.equal(await archive(), 1);
  assert.deepEqual(await absent(), []);
});
