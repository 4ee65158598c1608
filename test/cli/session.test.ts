import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type pg from "pg";
import { openSession, withDatabase } from "../../src/cli/session.js";
import { ConfigError, SchemaError, UsageError } from "../../src/errors.js";
import { createDatabase, emptyDatabase } from "../support/database.js";
import { createRole } from "../support/role.js";

/** A session with these assignments, and what it logs. */
function open(set: string[], more: { config?: string; logLevel?: string; workers?: number } = {}) {
  const output = new PassThrough();
  const session = openSession({ set, ...more }, output);
  return { session, logged: () => String(output.read() ?? "") };
}

test("flags become the configuration: --set in order, --log-level and --workers over it", () => {
  const { session } = open(["pipeline.batch_size=7", "pipeline.batch_size=8", "log.level=warn"], {
    logLevel: "error",
    workers: 3,
  });
  const { pipeline, log } = session.config;
  assert.deepEqual([pipeline.batch_size, pipeline.workers, log.level], [8, 3, "error"]);
  assert.equal(session.loaded.sources.get("log.level"), "--log-level");
});

test("an assignment without a key is refused, and not repeated: it may be a secret", () => {
  for (const assignment of ["hunter2", "=hunter2"])
    assert.throws(
      () => open([assignment]),
      (error) => error instanceof UsageError && !error.message.includes("hunter2"),
    );
});

test("what is logged is without the configuration's secrets", () => {
  const { session, logged } = open(["database.url=postgresql://someone:hunter2hunter2@host/chain"]);
  session.log.info({ url: "hunter2hunter2" }, "said hunter2hunter2");
  assert.doesNotMatch(logged(), /hunter2/);
});

test("a file with secrets that every user may read is warned of", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-session-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "chain.json");
  await writeFile(
    file,
    JSON.stringify({ database: { url: "postgresql://someone:hunter2hunter2@host/chain" } }),
  );
  await chmod(file, 0o644);
  assert.match(open([], { config: file }).logged(), /every user of this host may read the secrets in/);
  await chmod(file, 0o640);
  assert.equal(open([], { config: file }).logged(), "");
});

test("work gets a pool on the checked schema, which is ended after it, whatever came of it", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const { session } = open([`database.url=${database.url}`]);
  let used: pg.Pool | undefined;
  const answer = await withDatabase(session, async (pool) => {
    used = pool;
    return (await pool.query("select 42 as n")).rows;
  });
  assert.deepEqual(answer, [{ n: 42 }]);
  assert.equal(used?.ended, true);
  const failure = new Error("no");
  await assert.rejects(
    withDatabase(session, (pool) => {
      used = pool;
      return Promise.reject(failure);
    }),
    failure,
  );
  assert.equal(used?.ended, true);
});

test("without a database.url, and without tables where they are needed, no work begins", async (t) => {
  const database = await emptyDatabase();
  t.after(() => database.drop());
  const never = () => assert.fail("it began");
  await assert.rejects(withDatabase(open([]).session, never), /database\.url is not set/);
  const { session } = open([`database.url=${database.url}`]);
  await assert.rejects(withDatabase(session, never), SchemaError);
  assert.equal(await withDatabase(session, async () => "done", { needsSchema: false }), "done");
});

test("a right that is missing is the configuration's fault, and says so", async (t) => {
  const database = await createDatabase();
  const { url } = await createRole(t, database);
  const { session } = open([`database.url=${url}`]);
  await assert.rejects(
    withDatabase(session, async (pool) => pool.query("create table mine (n int)"), { needsSchema: false }),
    (error) => error instanceof ConfigError && /^database\.url: .*grant it to this user/.test(error.message),
  );
});

test("what the driver itself refuses is the configuration's fault too", async () => {
  const { session } = open([
    "database.url=postgresql://someone@127.0.0.1:1/chain?sslmode=verify-full&sslrootcert=/nowhere",
  ]);
  await assert.rejects(
    withDatabase(session, async () => {}),
    (error) => error instanceof ConfigError && error.facts.key === "database.url",
  );
});
