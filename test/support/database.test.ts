import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabase, emptyDatabase } from "./database.js";

test("two copies of the template are independent", async (t) => {
  const [one, other] = await Promise.all([createDatabase(), createDatabase()]);
  t.after(() => Promise.all([one.drop(), other.drop()]));
  await one.pool.query("insert into processing_jobs (block_number) values (7)");

  const inOne = await one.pool.query("select block_number from processing_jobs");
  const inOther = await other.pool.query("select block_number from processing_jobs");
  assert.equal(inOne.rowCount, 1);
  assert.equal(inOther.rowCount, 0);
});

test("many copies can be made at once", async () => {
  const databases = await Promise.all(Array.from({ length: 8 }, () => createDatabase()));
  assert.equal(new Set(databases.map(({ name }) => name)).size, 8);
  await Promise.all(databases.map((database) => database.drop()));
});

test("an empty database has no tables", async (t) => {
  const database = await emptyDatabase();
  t.after(() => database.drop());
  const tables = await database.pool.query("select from pg_tables where schemaname = 'public'");
  assert.equal(tables.rowCount, 0);
});

test("a database is dropped although a client is still out, and the leak is reported", async () => {
  const [leaky, watcher] = await Promise.all([createDatabase(), emptyDatabase()]);
  const client = await leaky.pool.connect();
  await client.query("begin");

  await assert.rejects(leaky.drop(), /1 clients .* not given back/);
  const left = await watcher.pool.query("select from pg_database where datname = $1", [leaky.name]);
  assert.equal(left.rowCount, 0);
  client.release(true);
  await watcher.drop();
});
