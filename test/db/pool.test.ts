import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type pg from "pg";
import { createPool, inTransaction } from "../../src/db/pool.js";
import { DatabaseUnavailableError } from "../../src/errors.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { waitFor } from "../support/process.js";

let database: TestDatabase;

before(async () => {
  database = await createDatabase();
});

after(() => database.drop());

/** A pool of one connection, so that a client that is not given back is noticed at once. */
async function withPool(work: (pool: pg.Pool) => Promise<void>): Promise<void> {
  const pool = createPool({
    url: database.url,
    schema: "public",
    applicationName: "blockmill-test pool",
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 10_000,
    min: 0,
    max: 1,
  });
  try {
    await work(pool);
    await pool.query("select 1");
    assert.equal(pool.waitingCount, 0);
    assert.equal(pool.totalCount, pool.idleCount, "clients that were not given back");
  } finally {
    await pool.end();
  }
}

async function pidOf(tx: pg.PoolClient): Promise<number> {
  const { rows } = await tx.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]?.pid ?? 0;
}

async function terminate(pid: number): Promise<void> {
  await database.pool.query("select pg_terminate_backend($1)", [pid]);
  await waitFor(
    async () => {
      const { rows } = await database.pool.query("select from pg_stat_activity where pid = $1", [pid]);
      return rows.length === 0;
    },
    { what: "the backend to be gone" },
  );
}

const isGone = (error: unknown) => error instanceof DatabaseUnavailableError;

test("a transaction commits what it did when its work resolves, and returns the answer", () =>
  withPool(async (pool) => {
    const answer = await inTransaction(pool, async (tx) => {
      await tx.query("insert into processing_jobs (block_number) values (1)");
      return 42;
    });
    assert.equal(answer, 42);
    const { rows } = await database.pool.query("select from processing_jobs where block_number = 1");
    assert.equal(rows.length, 1);
  }));

test("a transaction rolls back when its work throws, and passes the error on as it is", () =>
  withPool(async (pool) => {
    const error = new Error("no");
    const failed = inTransaction(pool, async (tx) => {
      await tx.query("insert into processing_jobs (block_number) values (2)");
      throw error;
    });
    await assert.rejects(failed, (thrown) => thrown === error);
    const { rows } = await database.pool.query("select from processing_jobs where block_number = 2");
    assert.equal(rows.length, 0);
  }));

test("a backend that is terminated between two statements fails the next one, and its connection is thrown away", () =>
  withPool(async (pool) => {
    let lost: pg.PoolClient | undefined;
    const failed = inTransaction(pool, async (tx) => {
      lost = tx;
      const ended = new Promise<void>((resolve) => tx.on("end", () => resolve()));
      await tx.query("insert into processing_jobs (block_number) values (3)");
      await terminate(await pidOf(tx));
      // Nobody waits for a statement now: the error finds nobody to tell, and must not end the process.
      await ended;
      await tx.query("select 1");
    });
    await assert.rejects(failed, isGone);
    assert.equal(pool.totalCount, 0);
    const { rows } = await database.pool.query("select from processing_jobs where block_number = 3");
    assert.equal(rows.length, 0);
    await inTransaction(pool, async (tx) => assert.notEqual(tx, lost));
  }));

test("a backend that is terminated during a statement fails it, and its connection is thrown away", () =>
  withPool(async (pool) => {
    const failed = inTransaction(pool, async (tx) => {
      const pid = await pidOf(tx);
      const sleeping = tx.query("select pg_sleep(60)");
      sleeping.catch(() => {});
      await terminate(pid);
      await sleeping;
    });
    await assert.rejects(failed, isGone);
    assert.equal(pool.totalCount, 0);
  }));

test("a commit that is refused is an error, and the connection is as good as before", () =>
  withPool(async (pool) => {
    await database.pool.query(
      "create table late (n int unique deferrable initially deferred); insert into late values (1)",
    );
    const failed = inTransaction(pool, (tx) => tx.query("insert into late values (1)"));
    await assert.rejects(failed, { name: "ConflictingRowsError" });
    assert.equal(pool.idleCount, 1);
  }));

test("an idle connection may die without anybody noticing", () =>
  withPool(async (pool) => {
    const client = await pool.connect();
    const pid = await pidOf(client);
    client.release();
    // Not events.once, which would take the pool's own error event for a failure.
    const removed = new Promise<unknown>((resolve) => pool.once("remove", resolve));
    await terminate(pid);
    await removed;
    await pool.query("select 1");
  }));

test("a statement of the pool fails with an error that has a disposition", () =>
  withPool(async (pool) => {
    await assert.rejects(pool.query("select * from no_such_table"), { name: "SchemaError" });
    await assert.rejects(pool.query("select pg_terminate_backend(pg_backend_pid())"), isGone);
  }));

test("every connection sees only its schema, in UTC, with its limits", () =>
  withPool(async (pool) => {
    const names = [
      "search_path",
      "TimeZone",
      "statement_timeout",
      "idle_in_transaction_session_timeout",
      "application_name",
    ];
    const { rows } = await pool.query<{ name: string; setting: string }>(
      "select name, setting from pg_settings where name = any ($1)",
      [names],
    );
    assert.deepEqual(Object.fromEntries(rows.map(({ name, setting }) => [name, setting])), {
      search_path: "public,pg_temp",
      TimeZone: "UTC",
      statement_timeout: "10000",
      idle_in_transaction_session_timeout: "15000",
      application_name: "blockmill-test pool",
    });
  }));

test("a bigint is a number, and one that a number cannot hold is refused", () =>
  withPool(async (pool) => {
    const { rows } = await pool.query("select 9007199254740991::bigint as n");
    assert.deepEqual(rows, [{ n: Number.MAX_SAFE_INTEGER }]);
    await assert.rejects(pool.query("select 9007199254740992::bigint as n"), /beyond 2\^53/);
  }));
