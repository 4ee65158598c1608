import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { createDatabase, emptyDatabase } from "../support/database.js";
import { projectRoot } from "../support/project.js";
import { createTwoRoles } from "../support/role.js";
import { blockmill } from "./blockmill.js";
import { readCatalog } from "./catalog.js";

const psql = spawnSync("psql", ["--version"]).status === 0;

test("init creates the schema, and a second init changes nothing", async (t) => {
  const database = await emptyDatabase();
  t.after(() => database.drop());
  const env = { BLOCKMILL_DATABASE_URL: database.url };

  const first = await blockmill(["init"], env);
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /"public" is ready/);
  const before = await readCatalog(database.url);

  const second = await blockmill(["init"], env);
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, /is there already/);
  assert.deepEqual(await readCatalog(database.url), before);
});

test("four inits of the same new schema at once all succeed", async (t) => {
  const database = await emptyDatabase();
  t.after(() => database.drop());
  const env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_DATABASE_SCHEMA: "shared" };

  const runs = await Promise.all(Array.from({ length: 4 }, () => blockmill(["init"], env)));
  for (const { code, stderr } of runs) assert.equal(code, 0, stderr);
  const { rows } = await database.pool.query("select version from shared.schema_version");
  assert.equal(rows.length, 1);
});

test("of two roles that init the same new schema at once one makes it, and the other is told that it may not", async (t) => {
  const database = await emptyDatabase();
  const roles = await createTwoRoles(t, database);
  for (const { name } of roles)
    await database.pool.query(`grant create on database ${database.name} to ${name}`);

  const runs = await Promise.all(
    roles.map(({ url }) =>
      blockmill(["init"], { BLOCKMILL_DATABASE_URL: url, BLOCKMILL_DATABASE_SCHEMA: "shared" }),
    ),
  );
  const [made, refused] = runs.sort((a, b) => (a.code ?? 0) - (b.code ?? 0));
  assert.equal(made?.code, 0, made?.stderr);
  assert.equal(refused?.code, 78, refused?.stderr);
  assert.match(
    refused?.stderr ?? "",
    /^blockmill: .*permission denied for schema shared; grant it to this user/,
  );
  const { rows } = await database.pool.query("select version from shared.schema_version");
  assert.equal(rows.length, 1);
});

test("a schema that is newer than the program is refused by every command", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  await database.pool.query("insert into schema_version (version) values (1000)");

  for (const command of ["init", "status", "start"]) {
    const env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_RPC_URLS: "http://127.0.0.1:1" };
    const { code, stdout, stderr } = await blockmill([command], env);
    assert.equal(code, 78, `${command}: ${stdout}${stderr}`);
    assert.match(stderr, /^blockmill: .*version 1000, newer than .* install a newer blockmill\n$/);
  }
});

test("psql -f schema.sql gives the same schema as init, in public and elsewhere", {
  skip: psql ? false : "psql is not installed",
}, async (t) => {
  const [byInit, byPsql] = await Promise.all([emptyDatabase(), emptyDatabase()]);
  t.after(() => Promise.all([byInit.drop(), byPsql.drop()]));
  const load = spawnSync(
    "psql",
    [byPsql.url, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", `${projectRoot}schema.sql`],
    { encoding: "utf8" },
  );
  assert.equal(load.status, 0, load.stderr);
  const env = { BLOCKMILL_DATABASE_URL: byInit.url };
  assert.equal((await blockmill(["init"], env)).code, 0);
  assert.equal((await blockmill(["init", "--set", "database.schema=elsewhere"], env)).code, 0);

  const loaded = await readCatalog(byPsql.url);
  for (const [kind, rows] of Object.entries(loaded)) assert.ok(rows.length > 0, kind);
  assert.deepEqual(await readCatalog(byInit.url), loaded);
  assert.deepEqual(await readCatalog(byInit.url, "elsewhere"), loaded);
});

test("every table, column, view and function has a comment", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const { tables, columns, functions } = await readCatalog(database.url);
  // A partition's columns are those of its table, a view's those that it shows.
  const shown = new Set(
    tables
      .filter(({ relkind, relispartition }) => relkind === "v" || relispartition)
      .map(({ relname }) => relname),
  );
  const named = [...tables, ...functions, ...columns.filter(({ relname }) => !shown.has(relname))];
  assert.deepEqual(
    named.filter(({ comment }) => !comment),
    [],
  );
});
