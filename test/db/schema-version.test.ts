import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSchema, newerSchema, readVersion, schemaVersion } from "../../src/db/schema-version.js";
import { useQueue } from "../queue/queue-database.js";

const database = useQueue();

/** Runs `work` with another newest version, and takes it back. */
async function withVersion(
  version: number,
  accepts: number | null,
  work: () => Promise<void>,
): Promise<void> {
  const before = await database.rows<{ version: number }>("select * from schema_version");
  await database.rows("delete from schema_version");
  await database.rows("insert into schema_version (version, accepts) values ($1, $2)", [version, accepts]);
  try {
    await work();
  } finally {
    await database.rows("delete from schema_version");
    await database.rows(
      "insert into schema_version select * from json_populate_recordset(null::schema_version, $1)",
      [JSON.stringify(before)],
    );
  }
}

test("a schema of this program's version is taken", async () => {
  await checkSchema(database.pool, "public");
  assert.equal((await readVersion(database.pool))?.version, schemaVersion);
});

test("a newer schema is taken where it accepts this program, and refused where it does not", async () => {
  await withVersion(schemaVersion + 5, schemaVersion, () => checkSchema(database.pool, "public"));
  for (const accepts of [schemaVersion + 1, null])
    await withVersion(schemaVersion + 5, accepts, () =>
      assert.rejects(checkSchema(database.pool, "public"), newerSchema("public", schemaVersion + 5)),
    );
});

test("an older schema is refused, and told what to do", async () => {
  await withVersion(schemaVersion - 1, null, () =>
    assert.rejects(checkSchema(database.pool, "public"), /run blockmill init$/),
  );
});

test("a schema without blockmill's tables has no version", async () => {
  const client = await database.pool.connect();
  try {
    await client.query("create schema empty; set search_path = empty");
    assert.equal(await readVersion(client), null);
    await assert.rejects(
      checkSchema(client, "empty"),
      /"empty" has no blockmill tables: run blockmill init$/,
    );
  } finally {
    client.release(true);
  }
});
