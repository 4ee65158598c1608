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

test("a session of another role that may update jobs is believed; one that may only insert them is not", async (t) => {
  const owner = new pg.Client(database.url);
  await owner.connect();
  const connectAs = async (role: string, rights: string) => {
    await owner.query(
      `create role ${role} login password 'p'; grant ${rights} on processing_jobs to ${role}`,
    );
    const url = new URL(database.url);
    url.username = role;
    url.password = "p";
    const client = new pg.Client(url.href);
    await client.connect();
    t.after(async () => {
      await client.end();
      await owner.query(`drop owned by ${role}; drop role ${role}`);
    });
    return client;
  };
  const worker = await connectAs(`worker_${process.pid}`, "select, insert, update");
  const injector = await connectAs(`injector_${process.pid}`, "insert");
  // Behind those that need it.
  t.after(() => owner.end());

  const hold = (key: string) => ({ text: "select pg_advisory_lock(hashtextextended($1, 0))", values: [key] });
  await worker.query(hold("of a worker"));
  await injector.query(hold("of an injector"));
  assert.equal((await tryLock(owner, "of a worker", "session")).taken, false);
  assert.equal((await tryLock(owner, "of an injector", "session")).taken, true);
});
