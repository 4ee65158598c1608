import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { to as copyTo } from "pg-copy-streams";
import { sendTogether } from "../../src/db/exchange.js";
import { createPool, inTransaction } from "../../src/db/pool.js";
import { DatabaseUnavailableError } from "../../src/errors.js";
import { assertCleanStop, numbers, setScene, until } from "../daemon/scene.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { patienceMs, waitFor } from "../support/process.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";
import { skip, startPgbouncer } from "./pgbouncer.js";

let database: TestDatabase;
let proxy: TcpProxy;

before(async () => {
  database = await createDatabase();
  proxy = await proxyTo(database.url);
  await database.pool.query("create table things (n int primary key); insert into things values (1), (2)");
});

after(async () => {
  await proxy.close();
  await database.drop();
});

function proxyTo(url: string): Promise<TcpProxy> {
  const { hostname: host, port } = new URL(url);
  return startTcpProxy({ to: { host, port: Number(port) } });
}

function openPool(
  t: TestContext,
  { name, max = 1, poolUrl }: { name: string; max?: number; poolUrl?: string },
) {
  const options = {
    url: proxy.urlOf(database.url),
    schema: "public",
    applicationName: name,
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 3_600_000,
    min: 0,
    max,
  };
  const pool = createPool(poolUrl === undefined ? options : { ...options, poolUrl });
  t.after(() => pool.end());
  return pool;
}

const isGone = (error: unknown) => error instanceof DatabaseUnavailableError;

/** Asserts that it fails as on a lost connection, though nothing else would end it: no timeout is near. */
async function assertNoticed(
  t: TestContext,
  statement: Promise<unknown>,
  by: TcpProxy = proxy,
): Promise<void> {
  const started = performance.now();
  // Else it would never end.
  const patience = setTimeout(by.thaw, patienceMs);
  await assert.rejects(statement, isGone);
  clearTimeout(patience);
  const ms = Math.round(performance.now() - started);
  t.diagnostic(`noticed after ${ms} ms`);
}

/** Resolves when this connection's statement waits for a lock. */
function blocked(name: string): Promise<unknown> {
  return waitFor(
    async () => {
      const { rows } = await database.pool.query(
        "select from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'",
        [name],
      );
      return rows.length > 0;
    },
    { what: `${name} to wait for a lock` },
  );
}

async function sessionsOf(name: string): Promise<number> {
  const { rows } = await database.pool.query("select from pg_stat_activity where application_name = $1", [
    name,
  ]);
  return rows.length;
}

test("a statement that never arrives fails within seconds, and the pool goes on with another connection", async (t) => {
  const pool = openPool(t, { name: "never arrives" });
  await pool.query("select 1");
  assert.equal(proxy.freeze(/^never arrives$/), 1);
  await assertNoticed(t, pool.query("select 1"));
  assert.deepEqual((await pool.query("select 2 as n")).rows, [{ n: 2 }]);
  assert.equal(pool.totalCount, 1);
  const alone = async () => (await sessionsOf("never arrives")) === 1;
  await waitFor(alone, { what: "the dead one to be gone on the server too" });
});

test("a transaction whose next statement never arrives fails within seconds, and its locks are free at once", async (t) => {
  const name = "lost in a transaction";
  const pool = openPool(t, { name });
  const failed = inTransaction(pool, async (tx) => {
    await tx.query("update things set n = 10 where n = 1");
    proxy.freeze(/^lost in a transaction$/);
    await tx.query("select 1");
  });
  await assertNoticed(t, failed);
  await database.pool.query(
    "set lock_timeout = '60 s'; update things set n = 1 where n = 1; reset lock_timeout",
  );
});

test("a statement whose answer is lost fails within seconds of it, though it waited long for a lock before", async (t) => {
  const name = "lost answer";
  const pool = openPool(t, { name });
  let failed: Promise<unknown> = Promise.resolve();
  await inTransaction(database.pool, async (holder) => {
    await holder.query("select from things where n = 2 for update");
    failed = pool.query("update things set n = 2 where n = 2");
    failed.catch(() => {});
    await blocked(name);
    proxy.freeze(/^lost answer$/);
    // It runs, as far as PostgreSQL knows.
    await sleep(4_500);
    assert.equal(await sessionsOf(name), 1);
  });
  await assertNoticed(t, failed);
});

test("an exchange whose COPY goes silent on the way fails within seconds", async (t) => {
  const pool = openPool(t, { name: "silent copy" });
  await database.pool.query("create table copied (text text)");
  const copy = {
    query: { text: "copy copied from stdin" },
    data: Array.from({ length: 100 }, () => Buffer.from(`${"x".repeat(1_000)}\n`)),
    read: () => {},
  };
  const failed = inTransaction(pool, async (tx) => {
    await sendTogether(tx, [copy]);
    proxy.freeze(/^silent copy$/);
    await sendTogether(tx, [copy]);
  });
  await assertNoticed(t, failed);
  assert.deepEqual((await database.pool.query("select from copied")).rows, []);
});

test("what really takes long is not cut: a slow statement, a lock waited for and a slow reader", async (t) => {
  const name = "takes long";
  const pool = openPool(t, { name, max: 4 });
  const longMs = 9_000;
  const blockedFor = inTransaction(database.pool, async (holder) => {
    await holder.query("lock table things");
    await sleep(longMs);
  });
  const read = inTransaction(pool, async (tx) => {
    let bytes = 0;
    for await (const chunk of tx.query(
      copyTo("copy (select repeat('x', 1000) from generate_series(1, 20000)) to stdout"),
    )) {
      if (bytes === 0) await sleep(longMs);
      bytes += chunk.length;
    }
    return bytes;
  });
  const [slept, waited, bytes] = await Promise.all([
    pool.query(`select 1 as n from pg_sleep(${longMs / 1_000})`),
    pool.query("select count(*)::int as n from things"),
    read,
    blockedFor,
  ]);
  assert.deepEqual([slept.rows, waited.rows], [[{ n: 1 }], [{ n: 2 }]]);
  assert(bytes > 20_000_000, `${bytes}`);
});

test("idle connections of a pool in which one was dead are not used any more", async (t) => {
  const pool = openPool(t, { name: "all dead", max: 3 });
  await Promise.all([1, 2, 3].map(() => pool.query("select pg_sleep(0.1)")));
  assert.equal(proxy.freeze(/^all dead$/), 3);
  await assertNoticed(t, pool.query("select 1"));
  assert.equal(pool.totalCount, 0);
  await pool.query("select 1");
  const others = async () => (await sessionsOf("all dead")) === 1;
  await waitFor(others, { what: "the dead ones to be gone on the server too" });
});

test("an idle connection that is dead does not keep the process from ending", async () => {
  const pool = createPool({
    url: proxy.urlOf(database.url),
    schema: "public",
    applicationName: "dead and idle",
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 3_600_000,
    min: 0,
    max: 1,
  });
  const client = await pool.connect();
  client.release();
  assert.equal(proxy.freeze(/^dead and idle$/), 1);
  const closed = new Promise<void>((resolve) => client.once("end", resolve));
  await pool.end();
  await closed;
});

test("through PgBouncer in transaction mode the same holds: nothing that is lost is awaited, nothing that runs is cut", {
  skip,
}, async (t) => {
  const pgbouncer = await startPgbouncer(database.url, { pool_mode: "transaction", default_pool_size: "3" });
  const front = await proxyTo(pgbouncer.url);
  t.after(async () => {
    await front.close();
    await pgbouncer.stop();
  });
  const pool = openPool(t, { name: "pooled", max: 2, poolUrl: front.urlOf(database.url) });
  const failed = inTransaction(pool, async (tx) => {
    await tx.query("update things set n = 10 where n = 1");
    front.freeze(/^pooled$/);
    await tx.query("select 1");
  });
  await assertNoticed(t, failed);
  await database.pool.query(
    "set lock_timeout = '60 s'; update things set n = 1 where n = 1; reset lock_timeout",
  );
  // A begin that never arrives.
  await pool.query("select 1");
  front.freeze(/^pooled$/);
  await assertNoticed(t, pool.query("select 1"), front);
  const [slept] = await Promise.all([pool.query("select 1 as n from pg_sleep(7)"), pool.query("select 1")]);
  assert.deepEqual(slept.rows, [{ n: 1 }]);
});

test("through PgBouncer in session mode, which tells no process, nothing that runs is cut", {
  skip,
}, async (t) => {
  const pgbouncer = await startPgbouncer(database.url, {
    pool_mode: "session",
    ignore_startup_parameters: "options, statement_timeout, idle_in_transaction_session_timeout",
  });
  t.after(() => pgbouncer.stop());
  const pool = createPool({
    url: pgbouncer.url,
    schema: "public",
    applicationName: "session pooled",
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 3_600_000,
    min: 0,
    max: 1,
  });
  const { rows } = await pool.query("select 1 as n from pg_sleep(7)");
  assert.deepEqual(rows, [{ n: 1 }]);
  await pool.end();
});

test("a worker's connection that goes silent in the middle of a commit: its blocks complete once, soon, and burn no attempt", async (t) => {
  const own = await createDatabase();
  const front = await proxyTo(own.url);
  t.after(async () => {
    await front.close();
    await own.drop();
  });
  const scene = await setScene(t, { database: { url: front.urlOf(own.url), pool: own.pool } });
  // No sweep comes to help, and no statement's own timeout.
  const daemon = await scene.start({ pipeline: { workers: 2, check_interval: 3_600 } });
  await scene.insert(1, 20);
  await scene.settled();
  let frozenAt = 0;
  await inTransaction(own.pool, async (holder) => {
    await holder.query("lock table blocks in share mode");
    await scene.insert(21, 60);
    const commits = async () => {
      const { rows } = await own.pool.query(
        `select from pg_stat_activity where datname = current_database()
         and application_name ~ '/w\\d+$' and wait_event_type = 'Lock'`,
      );
      return rows.length >= 2;
    };
    await until(commits, "both workers to be committing");
    assert(front.freeze(/\/w\d+$/) >= 2);
    frozenAt = performance.now();
  });
  const jobs = await scene.settled();
  const ms = Math.round(performance.now() - frozenAt);
  t.diagnostic(`all blocks completed ${ms} ms after the freeze`);
  await scene.assertWrittenOnce(numbers(1, 60));
  assert(
    jobs.every(({ attempts, deaths }) => attempts === 1 && deaths === 0),
    JSON.stringify(jobs),
  );
  const { rows } = await own.pool.query("select from processing_failures");
  assert.equal(rows.length, 0);
  front.thaw();
  await assertCleanStop(daemon, own.pool);
});
