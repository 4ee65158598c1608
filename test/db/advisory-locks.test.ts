import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { tryLock } from "../../src/db/advisory-locks.js";
import { createDatabase, type TestDatabase } from "../support/database.js";

let database: TestDatabase;
before(async () => {
  database = await createDatabase();
});
after(() => database.drop());

async function connect(t: { after(end: () => Promise<void>): void }): Promise<pg.Client> {
  const client = new pg.Client(database.url);
  await client.connect();
  t.after(() => client.end());
  return client;
}

test("a lock that a session of our role holds is not taken by another one", async (t) => {
  const [first, second] = [await connect(t), await connect(t)];
  assert.equal((await tryLock(first, "a lock", "session")).taken, true);
  assert.equal((await tryLock(second, "a lock", "session")).taken, false);
  await first.query("select pg_advisory_unlock_all()");
  assert.equal((await tryLock(second, "a lock", "session")).taken, true);
});

test("a lock of a transaction is free again when the transaction ends", async (t) => {
  const [first, second] = [await connect(t), await connect(t)];
  await first.query("begin");
  assert.equal((await tryLock(first, "another lock", "transaction")).taken, true);
  assert.equal((await tryLock(second, "another lock", "session")).taken, false);
  await first.query("commit");
  assert.equal((await tryLock(second, "another lock", "session")).taken, true);
});
