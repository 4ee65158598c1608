import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabase, emptyDatabase } from "../support/database.js";
import { startFixture } from "../support/fixture.js";
import { freePort } from "../support/free-port.js";
import { blockmill } from "./blockmill.js";

const needDatabase = [
  ["init"],
  ["range", "0", "1"],
  ["single", "0"],
  ["enqueue", "0"],
  ["status"],
  ["retry", "--all"],
  ["cancel", "0", "1"],
  ["cleanup"],
];

test("with the database down, every command that needs it ends with 69 and one line without the password", async () => {
  const port = await freePort();
  const env = {
    BLOCKMILL_DATABASE_URL: `postgresql://someone:hunter2hunter2@127.0.0.1:${port}/chain`,
    BLOCKMILL_RPC_URLS: "http://127.0.0.1:1",
  };
  for (const args of needDatabase) {
    const { code, stderr } = await blockmill(args, env);
    assert.equal(code, 69, `${args.join(" ")}: ${stderr}`);
    assert.match(
      stderr,
      new RegExp(`^blockmill: PostgreSQL cannot be reached: .*${port}.*database\\.url.*\n$`),
    );
    assert.ok(!stderr.includes("hunter2"), stderr);
  }
});

test("without a database.url, every command that needs it says where to put it", async () => {
  for (const args of needDatabase) {
    const { code, stderr } = await blockmill(args);
    assert.equal(code, 78, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, /^blockmill: database\.url is not set: .*\$BLOCKMILL_DATABASE_URL.*\n$/);
  }
});

test("a password or a database that the server refuses is a wrong configuration, not a defect", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const wrongPassword = new URL(database.url);
  wrongPassword.username = "nobody_of_that_name";
  wrongPassword.password = "hunter2hunter2";
  const wrongDatabase = new URL(database.url);
  wrongDatabase.pathname = "/no_such_database";

  for (const url of [wrongPassword, wrongDatabase]) {
    const { code, stderr } = await blockmill(["status"], { BLOCKMILL_DATABASE_URL: url.href });
    assert.equal(code, 78, stderr);
    assert.match(
      stderr,
      /^blockmill: PostgreSQL: .*\(does database\.url name the right user, password and database\?\)\n$/,
    );
    assert.ok(!stderr.includes("hunter2"), stderr);
  }
});

test("a schema without tables is met with the advice to run init", async (t) => {
  const database = await emptyDatabase();
  t.after(() => database.drop());
  const { code, stderr } = await blockmill(["status"], { BLOCKMILL_DATABASE_URL: database.url });
  assert.equal(code, 78);
  assert.match(stderr, /^blockmill: .*"public" has no blockmill tables: run blockmill init\n$/);
});

test("a right that is missing in the database is named, without a stack trace", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const role = `${database.name}_reader`;
  await database.pool.query(`create role ${role} login password 'hunter2hunter2'`);
  await database.pool.query(`grant select on schema_version to ${role}`);
  const url = new URL(database.url);
  url.username = role;
  url.password = "hunter2hunter2";

  const { code, stderr } = await blockmill(["enqueue", "5"], { BLOCKMILL_DATABASE_URL: url.href });
  await database.pool.query(`drop owned by ${role}`);
  await database.pool.query(`drop role ${role}`);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /^blockmill: database\.url: permission denied for .*grant it.*\n$/);
  assert.ok(!stderr.includes("hunter2"), stderr);
});

test("with no endpoint up, range and single end with 69 and what was seen, and enqueue nothing", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const port = await freePort();
  const env = {
    BLOCKMILL_DATABASE_URL: database.url,
    BLOCKMILL_RPC_URLS: `http://127.0.0.1:${port}/k3yk3yk3yk3y http://127.0.0.1:${port}/an0therk3y`,
  };
  for (const args of [
    ["range", "0", "10"],
    ["single", "3"],
  ]) {
    const { code, stderr } = await blockmill(args, env);
    assert.equal(code, 69, stderr);
    assert.match(stderr, /^blockmill: rpc\.urls: no endpoint serves \(asked 5 times in .*ECONNREFUSED.*\n$/);
    assert.ok(!/k3yk3y|an0ther/.test(stderr), stderr);
  }
  const { rows } = await database.pool.query(
    "select (select count(*) from processing_jobs) + (select count(*) from processing_ranges) as count",
  );
  assert.equal(Number(rows[0].count), 0);
});

test("range and single outlast an error of their first request", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const node = await startFixture({ head: 20 });
  t.after(() => node.stop());
  const env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_RPC_URLS: node.url };
  for (const [args, kind] of [
    [["range", "1", "3"], "html-502"],
    [["single", "5"], "maintenance"],
    [["single", "6"], "closed"],
  ] as const) {
    await node.mutate({ kind, method: "*", count: 2 });
    const { code, stderr } = await blockmill([...args], env);
    assert.equal(code, 0, stderr);
    await node.clearFaults();
  }
});

test("start --check says in order of nothing that it could not reach", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const node = await startFixture({ head: 20 });
  t.after(() => node.stop());
  const port = await freePort();
  const dead = `http://127.0.0.1:${port}`;
  const check = (urls: string, url = database.url) =>
    blockmill(["start", "--check"], { BLOCKMILL_DATABASE_URL: url, BLOCKMILL_RPC_URLS: urls });
  const alive = await check(node.url);
  assert.deepEqual([alive.code, alive.stdout], [0, "The configuration is in order.\n"], alive.stderr);
  const half = await check(`${dead} ${node.url}`);
  assert.equal(half.code, 0, half.stderr);
  assert.equal(half.stdout, "The configuration is in order, but 1 endpoint cannot be reached.\n");
  const noNode = await check(dead);
  assert.equal(noNode.code, 69, noNode.stderr);
  assert.equal(noNode.stdout, "");
  assert.match(noNode.stderr, /no endpoint serves .*ECONNREFUSED/);
  const away = new URL(database.url);
  away.hostname = "127.0.0.1";
  away.port = String(port);
  const noDatabase = await check(node.url, away.href);
  assert.equal(noDatabase.code, 69, noDatabase.stderr);
  assert.equal(noDatabase.stdout, "");
});
