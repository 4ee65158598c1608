// What cannot work is refused at once: one line with the remedy, exit code 78, no stack.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabase } from "../support/database.js";
import { freePort } from "../support/free-port.js";
import { createRole } from "../support/role.js";
import { blockmill, startBlockmill } from "./blockmill.js";

// Nobody is there: whoever gets as far as to ask a node has not been refused.
const node = { BLOCKMILL_RPC_URLS: "http://127.0.0.1:1" };
const daemons = [["start"], ["start", "--check"]];

async function assertRefused(args: string[], url: string, expected: RegExp): Promise<void> {
  const { code, stdout, stderr } = await blockmill(args, { ...node, BLOCKMILL_DATABASE_URL: url });
  assert.equal(code, 78, `${args.join(" ")}: ${stdout}${stderr}`);
  assert.match(stderr, expected);
  assert.equal(stderr.trim().split("\n").length, 1, stderr);
  assert.doesNotMatch(`${stdout}${stderr}`, /\n\s+at |defect|in order/);
}

test("a URL without a password is refused at once, where the server asks for one", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const url = new URL(database.url);
  url.password = "";
  const started = performance.now();
  for (const args of [["status"], ...daemons])
    await assertRefused(args, url.href, /^blockmill: database\.url: .* password and none is given: add it/);
  // The server itself hangs up after a minute.
  assert(performance.now() - started < 55_000);
});

test("a wrong password is refused, by a daemon too", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const url = new URL(database.url);
  url.password = "hunter2hunter2";
  for (const args of daemons)
    await assertRefused(args, url.href, /password authentication failed.*does database\.url name the right/);
});

test("a role without the rights of a daemon is refused, with the command that gives them", async (t) => {
  const database = await createDatabase();
  const reader = await createRole(t, database, "reader");
  for (const args of daemons)
    await assertRefused(args, reader.url, /has no right to .*: run blockmill grant --worker/);
});

test("a table that is missing is refused, with the command that makes it", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  await database.pool.query("drop table processing_failures");
  for (const args of daemons)
    await assertRefused(args, database.url, /table processing_failures is missing: run blockmill init/);
});

test("row level security and disabled triggers are refused, with the statement that ends them", async (t) => {
  const database = await createDatabase();
  const worker = await createRole(t, database, "worker");
  await database.pool.query("alter table processing_jobs enable row level security");
  for (const args of daemons)
    await assertRefused(args, worker.url, /row level security hides rows.*ALTER TABLE .*ROW LEVEL SECURITY/);
  await database.pool.query(`alter table processing_jobs disable row level security;
    alter table processing_jobs disable trigger user`);
  for (const args of daemons)
    await assertRefused(args, worker.url, /is disabled: ALTER TABLE .* ENABLE TRIGGER USER/);
});

test("start --check never calls in order what it cannot reach", async () => {
  const url = `postgresql://someone:hunter2hunter2@127.0.0.1:${await freePort()}/chain`;
  const { code, stdout, stderr } = await blockmill(["start", "--check"], {
    ...node,
    BLOCKMILL_DATABASE_URL: url,
  });
  assert.equal(code, 69, `${stdout}${stderr}`);
  assert.doesNotMatch(stdout, /in order/);
});

test("start waits for a database that is away, says so in one line, and a signal ends it", async () => {
  const url = `postgresql://someone:hunter2hunter2@127.0.0.1:${await freePort()}/chain`;
  const daemon = await startBlockmill(["start"], { ...node, BLOCKMILL_DATABASE_URL: url });
  await daemon.line(/cannot be reached yet; waiting for it/);
  await daemon.line(/lease of this host is lost/);
  daemon.child.kill("SIGTERM");
  daemon.child.kill("SIGTERM");
  const { code } = await daemon.ended;
  assert.equal(code, 0);
});
