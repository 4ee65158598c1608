// What a connection of a pool tells of itself, and how it goes about a pooler.

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, type TestContext, test } from "node:test";
import { to as copyTo } from "pg-copy-streams";
import { openingOf, poolConfig } from "../../src/db/connection.js";
import { type Awaited, PoolClient } from "../../src/db/pool-client.js";
import { createDatabase, type TestDatabase } from "../support/database.js";

let database: TestDatabase;

before(async () => {
  database = await createDatabase();
});
after(() => database.drop());

/** Hidden from the compiler, which believes that what was undefined once stays so. */
const awaitedBy = (client: PoolClient): Awaited | undefined => client.awaited;

/** A connection, as if through a pooler or not. */
async function connect(t: TestContext, { pooled = false } = {}): Promise<PoolClient> {
  const options = {
    url: database.url,
    schema: "public",
    applicationName: "blockmill-test client",
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 60_000,
    ...(pooled ? { poolUrl: database.url } : {}),
  };
  const client = new PoolClient(poolConfig(options), pooled ? openingOf(options) : undefined);
  client.on("error", () => {});
  await client.connect();
  t.after(() => client.end().catch(() => {}));
  return client;
}

/** Lets statements wait until it is called. */
async function hold(): Promise<() => Promise<void>> {
  const holder = await database.pool.connect();
  await holder.query("select pg_advisory_lock(1)");
  return async () => {
    await holder.query("select pg_advisory_unlock_all()");
    holder.release();
  };
}
const waitForHolder = "select pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1)";

test("the statement that is out is told with its process and its bytes, and none when it is answered", async (t) => {
  const client = await connect(t);
  assert.equal(awaitedBy(client), undefined);
  const release = await hold();
  const answer = client.query(waitForHolder);
  await new Promise(setImmediate);
  const awaited = awaitedBy(client);
  assert.equal(awaited?.pid, client.processID);
  assert.equal(awaited?.number, 1);
  assert.equal(awaited?.began, undefined);
  assert((awaited?.sentBytes ?? 0) >= waitForHolder.length);
  await release();
  await answer;
  assert.equal(awaitedBy(client), undefined);
  const next = client.query("select 1");
  assert.equal(awaitedBy(client)?.number, 2);
  await next;
});

test("a COPY whose reader sets the pace is not awaited", async (t) => {
  const client = await connect(t);
  const stream = client.query(copyTo("copy (select generate_series(1, 100000)) to stdout"));
  assert(stream instanceof Readable);
  assert.equal(awaitedBy(client), undefined);
  for await (const _ of stream);
});

test("a session of our own keeps names, and begins a transaction by the word", async (t) => {
  const client = await connect(t);
  assert.equal(client.keepsNames, true);
  await client.begin();
  await client.query({ name: "one", text: "select 1" });
  const { rows } = await client.query("select from pg_prepared_statements where name = 'one'");
  assert.equal(rows.length, 1);
  await client.query("rollback");
});

test("through a pooler a transaction begins with our settings and tells which it is, and no statement has a name", async (t) => {
  const client = await connect(t, { pooled: true });
  assert.equal(client.keepsNames, false);
  await client.begin();
  await client.query({ name: "one", text: "select 1" });
  const { rows } = await client.query(
    `select current_setting('search_path') as path, (select count(*)::int from pg_prepared_statements) as names`,
  );
  assert.deepEqual(rows, [{ path: "public,pg_temp", names: 0 }]);
  const release = await hold();
  const answer = client.query(waitForHolder);
  await new Promise(setImmediate);
  const { pid, began } = awaitedBy(client) ?? {};
  const found = await database.pool.query(
    "select from pg_stat_activity where pid = $1 and extract(epoch from xact_start)::text = $2",
    [pid, began],
  );
  assert.equal(found.rows.length, 1);
  await release();
  await answer;
  await client.query("commit");
});

test("through a pooler no statement runs outside of a transaction", async (t) => {
  const client = await connect(t, { pooled: true });
  assert.throws(() => client.query("select 1"), /a statement runs in a transaction/);
});

test("a connection that is cut fails what is awaited on it, with the reason", async (t) => {
  const client = await connect(t);
  const release = await hold();
  const failed = assert.rejects(client.query(waitForHolder), /Connection terminated: it was dead/);
  client.cut("it was dead");
  await failed;
  await release();
});
