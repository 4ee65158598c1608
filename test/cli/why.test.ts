// why, errors, disk, alerts and status --check as people and monitoring run them.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { raiseAlert } from "../../src/queue/alerts.js";
import { createDatabase } from "../support/database.js";
import { blockmill } from "./blockmill.js";

async function setPlace(t: TestContext) {
  const database = await createDatabase();
  t.after(() => database.drop());
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  return { pool: database.pool, env };
}

test("why, errors and disk tell people and programs, and say by their exit code whether something is missing", async (t) => {
  const { pool, env } = await setPlace(t);
  await pool.query(`
    insert into processing_jobs (block_number, status, attempts, last_error) values
      (7, 'failed', 3, 'HTTP status 500 of https://user:hunter2@node.example/key-of-mine'), (8, 'cancelled', 0, null);
    insert into processing_failures (job_id, block_number, attempt, class, message, endpoint)
      select 1, 7, n, 'retry', 'HTTP status 500', 'node.example' from generate_series(1, 3) as n`);
  const one = await blockmill(["why", "7"], env);
  assert.equal(one.code, 1);
  assert.match(
    one.stdout,
    /^block 7: failed\n {2}it failed for good after 3 attempts, last at node\.example: HTTP/,
  );
  assert(!one.stdout.includes("hunter2") && !one.stdout.includes("key-of-mine"), one.stdout);
  const many = JSON.parse((await blockmill(["why", "6", "9", "--json"], env)).stdout);
  assert.deepEqual(
    many.map(({ from, to, state }: { from: number; to: number; state: string }) => [from, to, state]),
    [
      [6, 6, "not asked for"],
      [7, 7, "failed"],
      [8, 8, "cancelled"],
      [9, 9, "not asked for"],
    ],
  );
  assert.equal((await blockmill(["why", "0", "2000000"], env)).code, 2);

  const errors = await blockmill(["errors", "--since", "1h"], env);
  assert.equal(errors.code, 1);
  assert.match(errors.stdout, /^3 × retry\n.*newest block 7, at node\.example; 1 job failed/);
  await pool.query(
    "update processing_jobs set status = 'completed', completed_at = now() where block_number = 7",
  );
  assert.equal((await blockmill(["errors"], env)).code, 0);
  assert.equal((await blockmill(["errors", "--since", "soon"], env)).code, 2);

  const disk = JSON.parse((await blockmill(["disk", "--block", "100", "--json"], env)).stdout);
  assert.equal(disk.blocks, 1);
  assert.equal(disk.forecast.bytes, disk.bytes * 100);
  assert.match((await blockmill(["disk"], env)).stdout, /together +[\d.]+ [kM]B\n/);
  assert.equal((await blockmill(["disk", "--until", "2001-01-01"], env)).code, 2);
});

test("alerts tells what is open and what was; status --check is a line and an exit code as monitoring has it", async (t) => {
  const { pool, env } = await setPlace(t);
  assert.deepEqual(
    [(await blockmill(["alerts"], env)).code, (await blockmill(["alerts"], env)).stdout],
    [0, "No alert.\n"],
  );
  await pool.query("insert into alerts (kind, message, cleared_at) values ('lag', 'it was behind', now())");
  await raiseAlert(pool, "failed_jobs", "2 jobs failed for good. Do this.", "warning");
  const open = await blockmill(["alerts"], env);
  assert.equal(open.code, 1);
  assert.match(
    open.stdout,
    /^failed_jobs \(warning\) {2}since .* UTC, for .*\n {2}2 jobs failed for good\. Do this\.\n$/,
  );
  const history = JSON.parse((await blockmill(["alerts", "--history", "--json"], env)).stdout);
  assert.deepEqual(
    history.map(({ kind }: { kind: string }) => kind),
    ["failed_jobs", "lag"],
  );

  const nothing = await blockmill(["status", "--check"], env);
  assert.deepEqual(
    [nothing.code, nothing.stdout],
    [2, "CRITICAL: Nothing runs: no daemon works on this schema.\n"],
  );
  const away = await blockmill(["status", "--check"], {
    BLOCKMILL_DATABASE_URL: "postgresql://nobody@127.0.0.1:1/nowhere",
    BLOCKMILL_DATABASE_CONNECT_TIMEOUT: "2",
  });
  assert.deepEqual([away.code, away.stdout.split(":")[0]], [2, "CRITICAL"], away.stderr);
  const wrong = await blockmill(["status", "--check", "--set", "pipeline.workers=none"], env);
  assert.deepEqual([wrong.code, wrong.stdout.split(":")[0]], [3, "UNKNOWN"], wrong.stderr);
});
