import assert from "node:assert/strict";
import { test } from "node:test";
import { readDerivedTables } from "../../src/db/derived-tables.js";
import { useQueue } from "../queue/queue-database.js";

const database = useQueue();

test("tables are named in order, and those that were dropped, or are another schema's, are left out", async () => {
  assert.deepEqual(await readDerivedTables(database.pool), []);
  await database.rows(
    "insert into chain_tables (name) values ('swaps'), ('approvals'), ('gone'), ('elsewhere')",
  );
  await database.rows("create table swaps (block_number bigint)");
  await database.rows("create table approvals (block_number bigint)");
  await database.rows("create schema other");
  await database.rows("create table other.elsewhere (block_number bigint)");
  assert.deepEqual(await readDerivedTables(database.pool), ["approvals", "swaps"]);
  assert.deepEqual(await readDerivedTables(database.pool, "public"), ["approvals", "swaps"]);
});
