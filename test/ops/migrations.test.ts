import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Migration, readMigrations } from "../../src/db/migrations.js";
import { createPool } from "../../src/db/pool.js";
import { applySchema, checkSchema, schemaVersion } from "../../src/db/schema.js";
import { readCatalog } from "../cli/catalog.js";
import { createDatabase, emptyDatabase, type TestDatabase } from "../support/database.js";
import { projectRoot } from "../support/project.js";

/** Migrations as files, read as the program reads its own: these alone. */
function writeAlone(t: TestContext, files: Record<string, string>): Migration[] {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-migrations-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries({ "README.md": "", ...files }))
    writeFileSync(path.join(folder, name), text);
  return readMigrations(pathToFileURL(`${folder}/`));
}

/** The same, behind those that there are. */
function write(t: TestContext, files: Record<string, string>): Migration[] {
  const folder = `${projectRoot}migrations/`;
  const own = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  const texts = own.map((name) => [name, readFileSync(folder + name, "utf8")] as const);
  return writeAlone(t, { ...Object.fromEntries(texts), ...files });
}

const fileOf = (version: number, name: string) => `${String(version).padStart(4, "0")}-${name}.sql`;

// The next two versions, and how the current one is told of in a new database.
const [second, third] = [schemaVersion + 1, schemaVersion + 2];
const now = [schemaVersion, readMigrations().at(-1)?.accepts];
const [secondFile, thirdFile] = [fileOf(second, "two"), fileOf(third, "three")];
const two = "-- accepts: 1\nalter table blocks add column two int;\n";
const three =
  "-- accepts: 2\nalter table blocks add column three int;\nalter table blocks drop column two;\n";
const both = { [secondFile]: two, [thirdFile]: three };

async function open(t: TestContext, { empty = false } = {}) {
  const database = await (empty ? emptyDatabase() : createDatabase());
  const pools = [poolOf(database), poolOf(database)] as const;
  t.after(async () => {
    for (const pool of pools) await pool.end();
    await database.drop();
  });
  const versions = async () => {
    const { rows } = await database.pool.query(
      "select version, accepts from schema_version order by version",
    );
    return rows.map(({ version, accepts }) => [version, accepts]);
  };
  return { database, pool: pools[0], other: pools[1], versions };
}

function poolOf({ url }: TestDatabase) {
  const timeouts = { connectTimeoutMs: 10_000, statementTimeoutMs: 60_000 };
  return createPool({
    url,
    schema: "public",
    applicationName: "blockmill-test",
    min: 0,
    max: 1,
    ...timeouts,
  });
}

test("the migrations that are missing are applied in order, each with its row, and not twice", async (t) => {
  const { database, pool, versions } = await open(t);
  assert.equal((await applySchema(pool, "public", write(t, { [secondFile]: two }))).before, schemaVersion);
  assert.deepEqual(await versions(), [now, [second, 1]]);
  const migrations = write(t, both);
  assert.equal((await applySchema(pool, "public", migrations)).before, second);
  const after = [now, [second, 1], [third, 2]];
  assert.deepEqual(await versions(), after);
  assert.equal((await applySchema(pool, "public", migrations)).before, third);
  assert.deepEqual(await versions(), after);
  const { rows } = await database.pool.query(
    "select attname from pg_attribute where attrelid = 'blocks'::regclass and attname in ('two', 'three')",
  );
  assert.deepEqual(rows, [{ attname: "three" }]);
});

test("two at once apply each migration once", async (t) => {
  const { pool, other, versions } = await open(t);
  const migrations = write(t, both);
  await Promise.all([applySchema(pool, "public", migrations), applySchema(other, "public", migrations)]);
  assert.deepEqual(await versions(), [now, [second, 1], [third, 2]]);
});

test("a migration that fails changes nothing, what came before it stays, and the next call goes on from there", async (t) => {
  const { database, pool, versions } = await open(t);
  const broken = `${three}select 1 / 0;\n`;
  await assert.rejects(applySchema(pool, "public", write(t, { ...both, [thirdFile]: broken })), {
    name: "SchemaError",
    message: /^the migration \d{4}-three failed, and changed nothing: division by zero$/,
  });
  assert.deepEqual(await versions(), [now, [second, 1]]);
  await database.pool.query("select two from blocks");
  await applySchema(pool, "public", write(t, both));
  assert.deepEqual(await versions(), [now, [second, 1], [third, 2]]);
});

test("a migration that does not get its lock soon gives up, changes nothing, and says why", async (t) => {
  const { database, pool, versions } = await open(t);
  const reader = await database.pool.connect();
  try {
    await reader.query("begin; select from blocks");
    await assert.rejects(applySchema(pool, "public", write(t, both)), {
      name: "SchemaBusyError",
      message:
        /^the migration \d{4}-two did not get a lock within 5 s, and changed nothing: a long transaction or a backup/,
    });
    assert.deepEqual(await versions(), [now]);
  } finally {
    await reader.query("rollback");
    reader.release();
  }
  await applySchema(pool, "public", write(t, both));
  assert.equal((await versions()).length, 3);
});

test("a database that is newer than the migrations is refused", async (t) => {
  const { database, pool, versions } = await open(t);
  await database.pool.query("insert into schema_version (version, accepts) values (1000, 1)");
  await assert.rejects(applySchema(pool, "public", write(t, both)), {
    name: "SchemaError",
    message: /version 1000, newer than/,
  });
  assert.deepEqual(await versions(), [now, [1000, 1]]);
});

test("a program goes on with a newer schema that accepts it, and refuses one that does not", async (t) => {
  const { database, pool } = await open(t);
  const add = "insert into schema_version (version, accepts) values ($1, $2)";
  await database.pool.query(add, [schemaVersion + 1, schemaVersion]);
  await checkSchema(pool, "public");
  await database.pool.query(add, [schemaVersion + 2, schemaVersion + 1]);
  await assert.rejects(checkSchema(pool, "public"), {
    name: "SchemaError",
    message: /newer than this program's/,
  });
});

test("a file that is not as migrations/README.md says is refused by its name", (t) => {
  for (const [files, complaint] of [
    [{ "0003-gap.sql": two }, /0003-gap\.sql: expected 0002-NAME\.sql/],
    [{ "0002-silent.sql": "select 1;" }, /0002-silent\.sql: expected a line "-- accepts: N"/],
    [{ "0002-future.sql": "-- accepts: 3\nselect 1;" }, /N from 1 to 2/],
    [{ "0002-own.sql": `${two}commit;\nselect 1;` }, /0002-own\.sql: expected no transaction of its own/],
  ] as const) {
    assert.throws(() => writeAlone(t, { ...files }), { name: "SchemaError", message: complaint });
  }
});

test("the newest migration, the program and schema.sql name the same version", async (t) => {
  assert.equal(readMigrations().at(-1)?.version ?? 1, schemaVersion);
  const { pool, versions } = await open(t, { empty: true });
  await applySchema(pool, "public");
  assert.equal((await versions()).at(-1)?.[0], schemaVersion);
});

// test/schemas/N.sql is schema.sql as it was released with version N.
const released = readdirSync(`${projectRoot}test/schemas`).filter((name) => name.endsWith(".sql"));
test(`every released schema (${released.join(", ") || "none yet"}) migrates to what schema.sql is`, async (t) => {
  const fresh = await open(t, { empty: true });
  await applySchema(fresh.pool, "public");
  const wanted = await readCatalog(fresh.database.url);
  for (const name of released) {
    const { database, pool } = await open(t, { empty: true });
    await database.pool.query(readFileSync(`${projectRoot}test/schemas/${name}`, "utf8"));
    await applySchema(pool, "public");
    assert.deepEqual(await readCatalog(database.url), wanted, name);
  }
});
