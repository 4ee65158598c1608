import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { blockmill } from "./blockmill.js";

async function statuses({ pool }: TestDatabase): Promise<Record<string, string>> {
  const { rows } = await pool.query("select block_number, status from processing_jobs");
  return Object.fromEntries(rows.map(({ block_number, status }) => [block_number, status]));
}

test("enqueue makes jobs, and says how many had one or were stored already", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  await database.pool.query("update processing_coverage set blocks = '{[2,4)}'");

  const one = await blockmill(["enqueue", "5"], env);
  assert.equal(one.code, 0, one.stderr);
  assert.equal(one.stdout, "Enqueued 1 block.\n");
  const some = await blockmill(["enqueue", "1", "6", "--priority", "-3"], env);
  assert.equal(
    some.stdout,
    "Enqueued 3 blocks; 3 had a job or were stored already (--force runs them again).\n",
  );
  const { rows } = await database.pool.query(
    "select block_number::int as n, priority from processing_jobs order by 1",
  );
  assert.deepEqual(
    rows.map(({ n, priority }) => [n, priority]),
    [
      [1, -3],
      [4, -3],
      [5, 0],
      [6, -3],
    ],
  );
  const forced = await blockmill(["enqueue", "2", "3", "--force"], env);
  assert.equal(forced.stdout, "Enqueued 2 blocks.\n");
});

test("ten thousand blocks are enqueued as jobs, one more as a range", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  const jobs = await blockmill(["enqueue", "1", "10000"], env);
  assert.equal(jobs.stdout, "Enqueued 10,000 blocks.\n");
  const range = await blockmill(["enqueue", "20000", "30000", "-p", "7", "--force"], env);
  assert.match(range.stdout, /^Opened range \d+: 10,001 blocks/);
  const { rows } = await database.pool.query(
    "select from_block, to_block, next_block, priority, force from processing_ranges",
  );
  assert.deepEqual(rows, [
    { from_block: "20000", to_block: "30000", next_block: "20000", priority: 7, force: true },
  ]);
  assert.equal(Object.keys(await statuses(database)).length, 10_000);
});

test("enqueue warns of blocks beyond the newest one that was seen", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  await database.pool.query(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values (1, 101, 100, decode(repeat('00', 32), 'hex'), now())`,
  );
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  assert.equal((await blockmill(["enqueue", "100"], env)).stderr, "");
  assert.match((await blockmill(["enqueue", "101"], env)).stderr, /newest block that was seen is 100/);
});

test("cancel ends what is unfinished, retry runs it again, each within the given blocks", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  await database.pool.query(`
    insert into processing_jobs (block_number, status, worker_id, started_at, run_at, completed_at) values
      (1, 'pending', null, null, now(), null), (2, 'pending', null, null, now() + interval '1 hour', null),
      (3, 'processing', 'w', now(), now(), null), (4, 'completed', 'w', now(), now(), now()),
      (5, 'failed', 'w', now(), now(), null), (9, 'failed', 'w', now(), now(), null)`);

  const cancelled = await blockmill(["cancel", "1", "5"], env);
  assert.equal(cancelled.code, 0, cancelled.stderr);
  assert.equal(cancelled.stdout, "Cancelled 3 jobs.\n");
  const afterCancel = {
    1: "cancelled",
    2: "cancelled",
    3: "cancelled",
    4: "completed",
    5: "failed",
    9: "failed",
  };
  assert.deepEqual(await statuses(database), afterCancel);

  assert.equal((await blockmill(["retry", "1"], env)).stdout, "1 job will run again.\n");
  assert.equal(
    (await blockmill(["retry", "4"], env)).stdout,
    "No failed or cancelled job is among these blocks.\n",
  );
  assert.equal((await blockmill(["retry", "2", "5"], env)).stdout, "3 jobs will run again.\n");
  assert.equal((await blockmill(["retry", "--all"], env)).stdout, "1 job will run again.\n");
  const { rows } = await database.pool.query(
    "select count(*)::int as n from processing_jobs where status = 'pending'",
  );
  assert.equal(rows[0].n, 5);
});

test("cancel N, then retry N takes one block as other commands do; cancel --forget deletes what is halted", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  await database.pool.query(`
    insert into processing_jobs (block_number, status, worker_id, started_at) values
      (1000, 'processing', 'w', now()), (1001, 'failed', 'w', now()), (1002, 'pending', null, null)`);
  assert.equal((await blockmill(["cancel", "1,000"], env)).stdout, "Cancelled 1 job.\n");
  assert.equal((await blockmill(["retry", "1,000"], env)).stdout, "1 job will run again.\n");
  const forgotten = await blockmill(["cancel", "1000", "1001", "--forget"], env);
  assert.equal(forgotten.stdout, "Cancelled 1 job. Deleted 2 failed or cancelled jobs.\n");
  assert.deepEqual(await statuses(database), { 1002: "pending" });
});

test("cleanup releases what lost hosts hold, trims failures, archives what is old, and says so", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  await database.pool.query(`
    insert into processing_jobs (block_number, status, worker_id, started_at, completed_at) values
      (1, 'processing', 'lost.1.a/w1', now() - interval '2 minutes', null),
      (2, 'completed', 'w', now(), now() - interval '2 hours'), (3, 'completed', 'w', now(), now())`);
  await database.pool.query(
    "insert into processing_failures (job_id, block_number, attempt, class, message) select 1, 1, n, 'retry', 'no' from generate_series(1, 5) n",
  );

  const first = await blockmill(["cleanup", "--json", "--set", "queue.failures_kept=3"], env);
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(JSON.parse(first.stdout), {
    releasedFromLostHosts: 1,
    releasedOverdue: 0,
    // The release is a failure of its own.
    failuresDeleted: 3,
    archived: 1,
  });
  assert.deepEqual(await statuses(database), { 1: "pending", 3: "completed" });

  const all = await blockmill(["cleanup", "--all"], env);
  assert.match(all.stdout, /^Archived 1 completed job\.$/m);
  const { rows } = await database.pool.query("select blocks::text as blocks from processing_coverage");
  assert.equal(rows[0].blocks, "{[2,4)}");
});
