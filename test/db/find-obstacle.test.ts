import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { connectionConfig } from "../../src/db/connection.js";
import { findObstacle } from "../../src/db/find-obstacle.js";
import { createPool } from "../../src/db/pool.js";
import { createDatabase } from "../support/database.js";
import { createRole } from "../support/role.js";

const options = (url: string) => ({
  url,
  schema: "public",
  applicationName: "blockmill test",
  connectTimeoutMs: 10_000,
  statementTimeoutMs: 10_000,
});

async function setPlace(t: TestContext, privilege: "worker" | "reader") {
  const database = await createDatabase();
  const role = await createRole(t, database, privilege);
  const look = async () => {
    const pool = createPool({ ...options(role.url), min: 0, max: 1 });
    try {
      return await findObstacle(pool);
    } finally {
      await pool.end();
    }
  };
  return { database, role, look };
}

test("a role that was granted what a worker needs meets no obstacle, and a reader does", async (t) => {
  assert.equal(await (await setPlace(t, "worker")).look(), null);
  const { look, role } = await setPlace(t, "reader");
  const found = await look();
  assert.match(found?.reason ?? "", /has no right to .*insert/);
  assert.equal(found?.remedy, `run blockmill grant --worker ${role.name} as the owner of the tables`);
});

test("the remedy for row level security and for a disabled trigger removes the obstacle", async (t) => {
  const { database, look } = await setPlace(t, "worker");
  for (const statement of [
    "alter table blocks enable row level security",
    "alter table processing_jobs enable row level security",
    "alter table processing_jobs disable trigger processing_jobs_inserted",
    "alter table processing_control enable replica trigger processing_control_changed",
  ]) {
    await database.pool.query(statement);
    const found = await look();
    assert(found !== null, statement);
    await database.pool.query(found.remedy);
    assert.equal(await look(), null, statement);
  }
});

test("a role whose sessions fire no triggers is told how to end that", async (t) => {
  const { database, look, role } = await setPlace(t, "worker");
  await database.pool.query(`alter role ${role.name} set session_replication_role = replica`);
  assert.match((await look())?.remedy ?? "", /RESET session_replication_role/);
});

test("a session reads and writes under read committed, whatever its role's defaults are", async (t) => {
  const { database, role } = await setPlace(t, "worker");
  await database.pool.query(`
    alter role ${role.name} set default_transaction_read_only = on;
    alter role ${role.name} set default_transaction_isolation = 'serializable'`);
  const client = new pg.Client(connectionConfig(options(role.url)));
  await client.connect();
  try {
    await client.query("insert into processing_jobs (block_number) values (1)");
    const { rows } = await client.query("show transaction_isolation");
    assert.equal(rows[0].transaction_isolation, "read committed");
  } finally {
    await client.end();
  }
});
