import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { after, before, test } from "node:test";
import type pg from "pg";
import { createPool, inTransaction } from "../../src/db/pool.js";
import { type BlockmillError, dispositionOf } from "../../src/errors.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { freePort } from "../support/free-port.js";

let database: TestDatabase;
let pool: pg.Pool;

const poolAt = (url: string, more: { max?: number; connectTimeoutMs?: number } = {}) =>
  createPool({
    url,
    schema: "public",
    applicationName: "blockmill-test errors",
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
    min: 0,
    max: 4,
    ...more,
  });

before(async () => {
  database = await createDatabase();
  pool = poolAt(database.url);
  await pool.query("insert into processing_jobs (block_number) values (1)");
});

after(async () => {
  await pool.end();
  await database.drop();
});

async function thrownBy(work: () => Promise<unknown>): Promise<BlockmillError> {
  try {
    await work();
  } catch (error) {
    return error as BlockmillError;
  }
  throw new Error("nothing was thrown");
}

/** What a statement that fails means for the job and the process. */
const statements: Record<string, { sql: string; means: string; sqlstate: string }> = {
  "a violated unique constraint": {
    sql: "insert into processing_jobs (block_number) values (1)",
    means: "retry",
    sqlstate: "23505",
  },
  "a violated check": {
    sql: "insert into processing_jobs (block_number) values (-1)",
    means: "fatal-job",
    sqlstate: "23514",
  },
  "a number out of range": { sql: "select 99999999999::int", means: "fatal-job", sqlstate: "22003" },
  "a missing table": { sql: "select from no_such_table", means: "fatal-process", sqlstate: "42P01" },
  "a missing column": { sql: "select no_such from blocks", means: "fatal-process", sqlstate: "42703" },
  "a missing function": { sql: "select no_such()", means: "fatal-process", sqlstate: "42883" },
  "a statement that takes too long": {
    sql: "set statement_timeout = 20; select pg_sleep(5)",
    means: "wait",
    sqlstate: "57014",
  },
  "a read-only server": {
    sql: "begin read only; insert into processing_jobs (block_number) values (2)",
    means: "wait",
    sqlstate: "25006",
  },
  "a terminated backend": {
    sql: "select pg_terminate_backend(pg_backend_pid())",
    means: "wait",
    sqlstate: "57P01",
  },
  "a full disk": { sql: "do $$ begin raise sqlstate '53100'; end $$", means: "wait", sqlstate: "53100" },
  "a syntax error": { sql: "selec", means: "retry", sqlstate: "42601" },
};

for (const [what, { sql, means, sqlstate }] of Object.entries(statements)) {
  test(`${what} means ${means}`, async () => {
    const own = poolAt(database.url, { max: 1 });
    try {
      const error = await thrownBy(() => own.query(sql));
      assert.equal(dispositionOf(error), means, error.message);
      assert.equal(
        (error.cause as pg.DatabaseError | undefined)?.code ?? (error as { code?: string }).code,
        sqlstate,
      );
    } finally {
      await own.end();
    }
  });
}

test("a lock that is not given means wait", () =>
  inTransaction(pool, async (holder) => {
    await holder.query("select from processing_jobs for update");
    const error = await thrownBy(() =>
      inTransaction(pool, async (tx) => {
        await tx.query("set local lock_timeout = '20ms'");
        await tx.query("select from processing_jobs for update");
      }),
    );
    assert.equal(dispositionOf(error), "wait");
    assert.equal(error.facts.sqlstate, "55P03");
  }));

test("a serialization failure means wait", async () => {
  const error = await thrownBy(() =>
    inTransaction(pool, async (tx) => {
      await tx.query("set transaction isolation level repeatable read");
      await tx.query("select from processing_jobs");
      await pool.query("update processing_jobs set metadata = '{}'");
      await tx.query("update processing_jobs set metadata = '{}'");
    }),
  );
  assert.equal(dispositionOf(error), "wait");
  assert.equal(error.facts.sqlstate, "40001");
});

test("a deadlock means wait", async () => {
  await pool.query("insert into processing_jobs (block_number) values (11), (12)");
  const lock = "select from processing_jobs where block_number = $1 for update";
  let bothHold = (): void => {};
  const bothHeld = new Promise<void>((resolve) => {
    let holding = 0;
    bothHold = () => {
      holding += 1;
      if (holding === 2) resolve();
    };
  });
  const lockBoth = (first: number, second: number) =>
    inTransaction(pool, async (tx) => {
      await tx.query("set local deadlock_timeout = '20ms'");
      await tx.query(lock, [first]);
      bothHold();
      await bothHeld;
      await tx.query(lock, [second]);
    });
  const outcomes = await Promise.allSettled([lockBoth(11, 12), lockBoth(12, 11)]);
  const [lost] = outcomes.filter((outcome) => outcome.status === "rejected");
  assert(lost !== undefined, "neither was given up");
  assert.equal(dispositionOf(lost.reason), "wait");
  assert.equal((lost.reason as BlockmillError).facts.sqlstate, "40P01");
});

/** What cannot be reached, and how. The password in each URL must not get into the message. */
const unreachable: Record<string, () => Promise<{ url: string; close?: () => void }>> = {
  "a port that nobody listens on": async () => ({
    url: `postgres://someone:secret-word@127.0.0.1:${await freePort()}/x`,
  }),
  "a socket that does not exist": async () => ({
    url: "postgres://someone:secret-word@/x?host=/no/such/folder",
  }),
  "a server that accepts and says nothing": async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    return { url: `postgres://someone:secret-word@127.0.0.1:${port}/x`, close: () => server.close() };
  },
  "a server that hangs up": async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    return { url: `postgres://someone:secret-word@127.0.0.1:${port}/x`, close: () => server.close() };
  },
  "a database that does not exist": async () => {
    const url = new URL(database.url);
    url.pathname = "/no_such_database";
    return { url: url.href };
  },
};

for (const [what, make] of Object.entries(unreachable)) {
  test(`${what} means wait, in a statement and in a transaction, and tells no secret`, async () => {
    const { url, close } = await make();
    const away = poolAt(url, { connectTimeoutMs: 300 });
    try {
      const attempts = [() => away.query("select 1"), () => inTransaction(away, async () => {})];
      for (const attempt of attempts) {
        const error = await thrownBy(attempt);
        assert.equal(dispositionOf(error), "wait", `${error.name}: ${error.message}`);
        assert.doesNotMatch(`${error.message} ${JSON.stringify(error.facts)}`, /secret-word/);
      }
    } finally {
      await away.end();
      close?.();
    }
  });
}

test("a wrong password means wait: people change passwords while a daemon runs", async () => {
  const url = new URL(database.url);
  url.password = "not-this";
  const away = poolAt(url.href);
  try {
    const { rows } = await pool.query("select from pg_hba_file_rules where auth_method in ('trust', 'peer')");
    if (rows.length > 0) return;
    assert.equal(dispositionOf(await thrownBy(() => away.query("select 1"))), "wait");
  } finally {
    await away.end();
  }
});

test("a pool whose connections are all taken means wait", async () => {
  const small = poolAt(database.url, { max: 1, connectTimeoutMs: 3_000 });
  const client = await small.connect();
  try {
    assert.equal(dispositionOf(await thrownBy(() => small.query("select 1"))), "wait");
  } finally {
    client.release();
    await small.end();
  }
});

test("an error that is not the database's passes as it is", async () => {
  const mine = new TypeError("mine");
  const thrown = await thrownBy(() =>
    inTransaction(pool, async () => {
      throw mine;
    }),
  );
  assert.equal(thrown as unknown, mine);
});
