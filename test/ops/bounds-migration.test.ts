// From schema 1 to 2: rows out of bounds, and what a reorg suspended under each version.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { createPool } from "../../src/db/pool.js";
import { applySchema } from "../../src/db/schema.js";
import { emptyDatabase } from "../support/database.js";
import { projectRoot } from "../support/project.js";

async function migrate(t: TestContext, before: string) {
  const database = await emptyDatabase();
  await database.pool.query(readFileSync(`${projectRoot}test/schemas/1.sql`, "utf8"));
  await database.pool.query(before);
  const pool = createPool({
    url: database.url,
    schema: "public",
    applicationName: "blockmill-test migration",
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 60_000,
    min: 0,
    max: 2,
  });
  await applySchema(pool, "public");
  const orchestrator = new pg.Client({
    connectionString: database.url,
    application_name: "blockmill a-host.1.abcdef/o1",
  });
  await orchestrator.connect();
  t.after(async () => {
    await orchestrator.end();
    await pool.end();
    await database.drop();
  });
  const jobs = async () =>
    (
      await pool.query(
        "select block_number as n, status, run_at = 'infinity' as waits, suspended from processing_jobs order by 1",
      )
    ).rows.map(
      ({ n, status, waits, suspended }) =>
        `${n} ${status}${waits ? " waits" : ""}${suspended ? " suspended" : ""}`,
    );
  return { pool, orchestrator, jobs };
}

test("rows of blocks that no chain has go with the upgrade, ranges are cut, and an alert says so", async (t) => {
  const { pool, jobs } = await migrate(
    t,
    `insert into processing_jobs (block_number) values (7), (9007199254740993);
     insert into processing_jobs (id, block_number) overriding system value values (9223372036854775807, 8);
     insert into processing_ranges (from_block, to_block, next_block)
     values (1, 9223372036854775806, 5), (9007199254740993, 9007199254740993, 9007199254740993)`,
  );
  assert.deepEqual(await jobs(), ["7 pending", "8 pending"]);
  const { rows } = await pool.query("select from_block, to_block, next_block from processing_ranges");
  assert.deepEqual(rows, [{ from_block: 1, to_block: 9_007_199_254_740_990, next_block: 5 }]);
  const { rows: alerts } = await pool.query(
    "select kind, message, cleared_at is not null as over from alerts",
  );
  assert.deepEqual(alerts, [
    {
      kind: "impossible_blocks",
      message:
        "The upgrade to schema 2 removed 1 jobs and 1 ranges of blocks above 2^53 - 2, which no chain has.",
      over: true,
    },
  ]);
});

test("what was suspended stays so, whichever version writes and reads; what a person parks no version wakes", async (t) => {
  const { pool, orchestrator, jobs } = await migrate(
    t,
    `insert into processing_jobs (block_number, status, run_at) values (1, 'scheduled', 'infinity'), (2, 'pending', now());`,
  );
  assert.deepEqual(await jobs(), ["1 scheduled waits suspended", "2 pending"]);
  // As a leader of version 1 suspends, and wakes.
  await orchestrator.query(
    "update processing_jobs set status = 'scheduled', run_at = 'infinity' where block_number = 2",
  );
  await orchestrator.query(
    "insert into processing_jobs (block_number, status, run_at) values (3, 'scheduled', 'infinity')",
  );
  await orchestrator.query(
    "update processing_jobs set status = 'pending', run_at = now() where block_number = 1",
  );
  // A person.
  await pool.query("insert into processing_jobs (block_number, run_at) values (4, 'infinity'), (5, now())");
  await pool.query("update processing_jobs set run_at = 'infinity' where block_number = 5");
  const expected = [
    "1 pending",
    "2 scheduled waits suspended",
    "3 scheduled waits suspended",
    "4 scheduled waits",
    "5 scheduled waits",
  ];
  assert.deepEqual(await jobs(), expected);
  await orchestrator.query(
    "update processing_jobs set status = 'pending', run_at = now() where block_number in (4, 5)",
  );
  assert.deepEqual(await jobs(), expected);
  await pool.query(
    "update processing_jobs set status = 'pending', run_at = now() where block_number in (3, 4)",
  );
  assert.deepEqual(await jobs(), ["1 pending", expected[1], "3 pending", "4 pending", expected[4]]);
});
