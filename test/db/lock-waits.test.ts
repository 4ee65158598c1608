import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { describeLockWait, findLockWait, findTableHolder } from "../../src/db/lock-waits.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();

test("a job that somebody's open transaction keeps claims from names that session", async (t) => {
  await queue.insert([7]);
  const person = new pg.Client({ connectionString: queue.url, application_name: "a person" });
  await person.connect();
  t.after(() => person.end());
  await person.query("begin");
  await person.query("select from processing_jobs where block_number = 7 for update");

  const found = await findLockWait(queue.pool, 0);
  assert.equal(found?.what, "the job of block 7");
  assert.equal(found?.application, "a person");
  assert.equal(found?.state, "idle in transaction");
  await person.query("rollback");
  assert.equal(await findLockWait(queue.pool, 0), null);
});

test("a job that several sessions share a lock of names one of them, and nobody where only reads are open", async (t) => {
  await queue.insert([7, 8]);
  const people = await Promise.all(
    ["one", "another"].map(async (name) => {
      const person = new pg.Client({ connectionString: queue.url, application_name: name });
      await person.connect();
      t.after(() => person.end());
      await person.query("begin");
      await person.query("select from processing_jobs where block_number = 8 for key share");
      return person;
    }),
  );
  const found = await findLockWait(queue.pool, 0);
  assert.equal(found?.what, "the job of block 8");
  assert(["one", "another"].includes(found?.application ?? ""), found?.application);
  for (const person of people) await person.query("rollback");
  // The row still bears what they shared.
  const reader = await queue.pool.connect();
  try {
    await reader.query("begin; select pg_current_xact_id(), count(*) from processing_jobs");
    assert.equal(await findLockWait(queue.pool, 0), null);
  } finally {
    await reader.query("rollback");
    reader.release();
  }
});

test("whoever has locked a table of the schema is named", async (t) => {
  assert.equal(await findTableHolder(queue.pool, 3_000), null);
  const person = new pg.Client({ connectionString: queue.url, application_name: "a person" });
  await person.connect();
  t.after(() => person.end());
  await person.query("begin");
  await person.query("lock table processing_head in access exclusive mode");
  assert.match(
    (await findTableHolder(queue.pool, 3_000)) ?? "",
    /the table processing_head is held by .*a person/,
  );
  await person.query("rollback");
});

test("a wait is told with what ends it", () => {
  const wait = {
    what: "the job of block 7",
    pid: 12,
    user: "ann",
    application: "psql",
    state: "idle",
    waitsMs: 4_000,
  };
  assert.match(describeLockWait(wait), /held by ann \(pid 12, psql, idle\).*4 s.*pg_terminate_backend\(12\)/);
  assert.match(describeLockWait({ ...wait, pid: null }), /prepared transaction.*pg_prepared_xacts/);
});
