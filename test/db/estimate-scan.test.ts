import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type pg from "pg";
import { estimateScans, scannedParts } from "../../src/db/estimate-scan.js";
import { emptyDatabase, type TestDatabase } from "../support/database.js";

let database: TestDatabase;
let client: pg.PoolClient;

before(async () => {
  database = await emptyDatabase();
  client = await database.pool.connect();
  await client.query(`
    create table "Large" (id int primary key, text text);
    insert into "Large" select n, repeat('x', 100) from generate_series(1, 20000) n;
    create table small (id int);
    create table parts (id int) partition by range (id);
    create table parts_0 partition of parts for values from (0) to (10);
    create table parts_10 partition of parts for values from (10) to (20);
    insert into parts select n from generate_series(0, 19) n;
    analyze`);
});
after(async () => {
  client.release();
  await database.drop();
});

test("a table that is read whole is told with its size; one that an index leads into is not", async () => {
  const [scan, ...more] = await estimateScans(client, `select text from "Large" where text like '%y'`);
  assert.equal(more.length, 0);
  assert.equal(scan?.table, "Large");
  assert((scan?.bytes ?? 0) > 2_000_000);
  assert.deepEqual(await estimateScans(client, `select text from "Large" where id = 7`), []);
  assert.deepEqual(await estimateScans(client, "select 1"), []);
});

test("each partition is told", async () => {
  const scans = await estimateScans(client, "select * from parts");
  assert.deepEqual(scans.map(({ table }) => table).sort(), ["parts_0", "parts_10"]);
});

test("of what a LIMIT ends only a part is counted, and all where the rows are sorted first", async () => {
  const bytesOf = async (sql: string) => (await estimateScans(client, sql))[0]?.bytes ?? 0;
  const all = await bytesOf(`select * from "Large"`);
  assert((await bytesOf(`select * from "Large" limit 10`)) < all / 100);
  assert((await bytesOf(`select * from "Large" order by text limit 10`)) > all / 2);
  assert((await bytesOf(`select count(*) from "Large" limit 1`)) > all / 2);
});

test("a parallel scan is one as well, and a node without a cost is read whole", () => {
  const plan = {
    "Node Type": "Parallel Seq Scan",
    "Startup Cost": 0,
    "Total Cost": 0,
    "Relation Name": "t",
    Schema: "s",
  };
  const limit = { "Node Type": "Limit", "Startup Cost": 0, "Total Cost": 0, Plans: [plan] };
  assert.deepEqual(scannedParts(limit), [{ schema: "s", table: "t", part: 1 }]);
});
