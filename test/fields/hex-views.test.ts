// The views with hex text for people are written by hand. They are held here against the fields: a new column belongs into
// its table's view too.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TABLES } from "../../src/fields/tables.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { createPartitions } from "../../src/store/partitions.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { rowsOf } from "../support/stored-block.js";
import { writeBlocks } from "../support/write-blocks.js";

/** The tables that have one. */
const viewed = TABLES.filter(({ name }) => ["blocks", "transactions", "logs"].includes(name));

let database: TestDatabase;
before(async () => {
  database = await createDatabase();
  const block = rowsOf({
    number: 7,
    transactions: [0, 1, 2, 3, 4, 0x7e],
    logsPerTransaction: 3,
    fork: "prague",
  });
  const older = rowsOf({ number: 8, transactions: [0], logsPerTransaction: 1, fork: "frontier" });
  await createPartitions(database.pool).prepare([7, 8]);
  const client = await database.pool.connect();
  try {
    await writeBlocks(client, [block, older].map(createEncoder().encode));
  } finally {
    client.release();
  }
});
after(() => database.drop());

test("schema.sql has a view with hex text for each of these tables, and for no other", async () => {
  const { rows } = await database.pool.query<{ name: string }>(
    String.raw`select viewname as name from pg_views where schemaname = 'public' and viewname like '%\_hex' order by 1`,
  );
  assert.deepEqual(
    rows.map(({ name }) => name),
    viewed.map(({ name }) => `${name}_hex`).sort(),
  );
});

for (const { name, columns } of viewed) {
  test(`${name}_hex has the columns of ${name} in their order, with text in place of bytes`, async () => {
    const { rows } = await database.pool.query<{ name: string; type: string }>(
      `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
       where attrelid = $1::regclass and attnum > 0 order by attnum`,
      [`${name}_hex`],
    );
    assert.deepEqual(
      rows.map((each) => each.name),
      columns.map((each) => each.name),
    );
    for (const { name: column, type } of columns) {
      const shown = rows.find((each) => each.name === column)?.type ?? "";
      if (type.startsWith("bytea")) assert.equal(shown, type.replace("bytea", "text"), column);
      else assert(!shown.startsWith("text") || type.startsWith("text"), `${column} is shown as ${shown}`);
    }
  });

  test(`${name}_hex shows each value of ${name}, bytes as 0x text, and null as null`, async () => {
    const key = columns.slice(0, name === "blocks" ? 1 : 2).map((each) => each.name);
    const select = (from: string) =>
      database.pool.query<Record<string, unknown>>(
        `select ${columns.map((each) => each.name).join(", ")} from ${from} order by ${key.join(", ")}`,
      );
    const stored = (await select(name)).rows;
    assert(stored.length > 1);
    assert.deepEqual(
      (await select(`${name}_hex`)).rows,
      stored.map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, shownAs(value)])),
      ),
    );
  });
}

function shownAs(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `0x${value.toString("hex")}`;
  return Array.isArray(value) ? value.map(shownAs) : value;
}
