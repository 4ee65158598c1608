import assert from "node:assert/strict";
import { test } from "node:test";
import type { PoolClient } from "pg";
import { createPool, inTransaction, type Sql } from "../../src/db/pool.js";
import { claimJobs } from "../../src/queue/claim.js";
import { completeJobs } from "../support/complete-jobs.js";
import { createDatabase } from "../support/database.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

interface Counts {
  seq_scan: number;
  updates: number;
  hot_updates: number;
  claim_entries_read: number;
}

/** What PostgreSQL counted so far, after the session that is asked has handed its own counts in. */
async function countsOf(sql: Sql): Promise<Counts> {
  await sql.query("select pg_stat_force_next_flush()");
  const { rows } = await sql.query<Counts>(
    `select seq_scan, n_tup_upd as updates, n_tup_hot_upd as hot_updates, i.idx_tup_read as claim_entries_read
     from pg_stat_user_tables as t join pg_stat_user_indexes as i using (relid)
     where t.relname = 'processing_jobs' and i.indexrelname = 'processing_jobs_claim'`,
  );
  const [counts] = rows;
  assert(counts !== undefined);
  return counts;
}

async function withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await queue.pool.connect();
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

test("a claim changes no indexed value: at least 95 in 100 are heap-only updates", () =>
  withClient(async (client) => {
    await client.query("alter table processing_jobs set (autovacuum_enabled = false)");
    // A snapshot of autovacuum, somewhere in the database, can keep dead versions from being pruned for
    // a moment. So the best of three.
    let best = 0;
    for (let attempt = 1; attempt <= 3 && best < 950; attempt += 1) {
      best = Math.max(best, await heapOnlyOfThousandClaims(client));
    }
    assert(best >= 950, `${best} of 1000 claims were heap-only updates`);
  }));

async function heapOnlyOfThousandClaims(client: PoolClient): Promise<number> {
  await client.query("truncate processing_jobs");
  await client.query("insert into processing_jobs (block_number) select generate_series(1, 1000)");
  const before = await countsOf(client);
  let claimed = 0;
  for (let size = 1; claimed < 1_000; size = (size % 20) + 1) {
    claimed += (await claimJobs(client, { workerId: "a/w1", limit: size })).length;
  }
  const after = await countsOf(client);
  assert.equal(after.updates - before.updates, 1_000);
  return after.hot_updates - before.hot_updates;
}

test("with 200,000 pending jobs a claim reads the claim index as far as it must, and sorts nothing", () =>
  withClient(async (client) => {
    await client.query(
      `insert into processing_jobs (block_number, priority)
       select n, n % 3 from generate_series(1, 200000) as n`,
    );
    await client.query("analyze processing_jobs");
    for (const planMode of ["force_custom_plan", "force_generic_plan"]) {
      await client.query(`set plan_cache_mode = ${planMode}`);
      const before = await countsOf(client);
      for (let i = 0; i < 5; i += 1) {
        assert.equal((await claimJobs(client, { workerId: "a/w1", limit: 20 })).length, 20);
      }
      const after = await countsOf(client);
      assert.equal(after.seq_scan - before.seq_scan, 0, `sequential scans, ${planMode}`);
      // The 100 that were claimed, and those that earlier claims left in the index.
      const read = after.claim_entries_read - before.claim_entries_read;
      assert(read > 0 && read < 1_000, `${read} index entries were read for 100 claims, ${planMode}`);
    }
    await client.query("reset plan_cache_mode");
  }));

const insertSeries = "insert into processing_jobs (block_number) select generate_series($1::int, $2::int)";
const beginnings = {
  "was empty": (sql: Sql) => sql.query("vacuum analyze processing_jobs"),
  // Where PostgreSQL has no statistics, and would rather sort than follow the index.
  "was new and small": (sql: Sql) => sql.query(insertSeries, [1, 400]),
};

for (const [beginning, prepare] of Object.entries(beginnings)) {
  test(`what a worker has prepared while the table ${beginning} reads neither the table nor an index as a whole`, async (t) => {
    // Nobody has analyzed its tables before.
    const database = await createDatabase();
    t.after(() => database.drop());
    const pool = createPool({
      url: database.url,
      schema: "public",
      applicationName: "blockmill-test plans",
      connectTimeoutMs: 10_000,
      statementTimeoutMs: 30_000,
      min: 1,
      max: 1,
      keepsPlans: true,
    });
    const workerId = "a/w1";
    const work = async (): Promise<number> => {
      const jobs = await claimJobs(pool, { workerId, limit: 20, durable: false });
      const completions = jobs.map(({ token }) => ({ token, result: {} }));
      await inTransaction(pool, async (tx) => {
        await completeJobs(tx, workerId, completions);
        for (const after of [undefined, { priority: 0, blockNumber: 20 }])
          for (const limit of [20, 1]) await claimJobs(tx, { workerId, limit, after });
      });
      return jobs.length;
    };
    try {
      await database.pool.query("alter table processing_jobs set (autovacuum_enabled = false)");
      await prepare(database.pool);
      // From the sixth time on PostgreSQL may keep a plan.
      for (let i = 0; i < 10; i += 1) await work();
      const { rows: plans } = await pool.query<{ name: string; kept: number }>(
        "select name, generic_plans as kept from pg_prepared_statements where name ~ '^(claim|complete)' order by name",
      );
      assert.deepEqual(
        plans.filter(({ kept }) => kept > 0).map(({ name }) => name),
        ["claim", "claim_behind", "claim_behind_one", "claim_light", "claim_one", "complete"],
      );
      await database.pool.query(insertSeries, [1_001, 21_000]);
      const before = await countsOf(database.pool);
      for (let i = 0; i < 5; i += 1) assert.equal(await work(), 20);
      await pool.query("select pg_stat_force_next_flush()");
      const after = await countsOf(database.pool);
      assert.equal(after.seq_scan - before.seq_scan, 0);
      // What was claimed before, again and again: some 800 entries a claim, twice that while somebody's
      // snapshot keeps dead versions. The whole index has 20,000.
      const read = (after.claim_entries_read - before.claim_entries_read) / 25;
      assert(read > 0 && read < 2_000, `a claim read ${read} index entries`);
    } finally {
      await pool.end();
    }
  });
}

test("a claim stays cheap in front of a long line of claimed jobs", () =>
  withClient(async (client) => {
    await client.query("insert into processing_jobs (block_number) select generate_series(1, 20000)");
    await client.query("analyze processing_jobs");
    await claimJobs(client, { workerId: "a/w1", limit: 5_000 });
    const before = await countsOf(client);
    for (let i = 0; i < 10; i += 1) await claimJobs(client, { workerId: "a/w1", limit: 5 });
    const after = await countsOf(client);
    // The first ones pass over what is left of the 5,000 in the index, and mark it. Did all ten: 50,000.
    const read = after.claim_entries_read - before.claim_entries_read;
    assert(read < 20_000, `${read} index entries were read for 50 claims`);
    assert.equal(after.seq_scan - before.seq_scan, 0);
  }));
