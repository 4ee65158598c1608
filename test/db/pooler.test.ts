import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { loadConfig } from "../../src/config/load.js";
import { secretsOf } from "../../src/config/secrets.js";
import { createPool, inTransaction } from "../../src/db/pool.js";
import { findSessionFault } from "../../src/db/prove-session.js";
import { createDuties } from "../../src/orchestrator/duties.js";
import { createRedact } from "../../src/redact.js";
import { numbers, said, setScene } from "../daemon/scene.js";
import { silent } from "../orchestrator/scene.js";
import { spawnStart } from "../support/daemon.js";
import { createDatabase } from "../support/database.js";
import { freePort } from "../support/free-port.js";
import { spawnProgram } from "../support/process.js";
import { skip, startPgbouncer } from "./pgbouncer.js";

const builtProgram = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** What PgBouncer must be told to let a session's settings pass, though not to keep them. */
const ignored = {
  ignore_startup_parameters: "options, statement_timeout, idle_in_transaction_session_timeout",
};
const transaction = { pool_mode: "transaction" } as const;

/** With `hasSettings`, as docs/OPERATIONS.md says for session mode; of the database, since roles are the whole server's. */
async function place(
  t: TestContext,
  settings: Parameters<typeof startPgbouncer>[1],
  { hasSettings = false } = {},
) {
  const database = await createDatabase();
  const { name } = database;
  if (hasSettings) {
    await database.pool.query(`
      alter database ${name} set search_path = public, pg_temp;
      alter database ${name} set TimeZone = 'UTC';
      alter database ${name} set statement_timeout = '300s';
      alter database ${name} set idle_in_transaction_session_timeout = '15s';
      alter database ${name} set client_connection_check_interval = '1s'`);
  }
  const pgbouncer = await startPgbouncer(database.url, settings);
  t.after(async () => {
    await pgbouncer.stop();
    await database.drop();
  });
  return { database, pgbouncer };
}

function optionsOf(url: string, poolUrl?: string) {
  const options = {
    url,
    schema: "public",
    applicationName: "blockmill-test pooler",
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 10_000,
    min: 0,
    max: 2,
  };
  return poolUrl === undefined ? options : { ...options, poolUrl };
}

/** What `blockmill start` says as it refuses to. */
async function refusal(
  urls: { url: string; listen_url?: string },
  rpcUrls: string[],
): Promise<{ code: number | null; said: string }> {
  const { url, ...database } = urls;
  const { program, remove } = await spawnStart({ databaseUrl: url, rpcUrls, config: { database } });
  // One that is not refused would go on for ever.
  const patience = setTimeout(() => void program.kill("SIGKILL"), 30_000);
  const { code } = await program.exit;
  clearTimeout(patience);
  if (!program.child.stderr?.closed) await once(program.child.stderr ?? program.child, "close");
  await remove();
  return { code, said: program.output.join("\n") };
}

test("PgBouncer in transaction mode as database.url alone ends start, range and single with 78 and names database.listen_url", {
  skip,
}, async (t) => {
  // The settings are there, so that nothing but the sessions is at fault.
  const { database, pgbouncer } = await place(t, { ...transaction, ...ignored }, { hasSettings: true });
  const scene = await setScene(t, { database: { url: pgbouncer.url, pool: database.pool } });
  const { code, said } = await refusal({ url: pgbouncer.url }, scene.node.urls);
  assert.equal(code, 78, said);
  assert.match(
    said,
    /database\.url: it leads through a pooler that keeps no session .*set database\.listen_url/,
  );
  for (const args of [
    ["range", "1", "3"],
    ["single", "1"],
  ]) {
    const program = await spawnProgram(args, {
      script: builtProgram,
      env: {
        BLOCKMILL_DATABASE_URL: pgbouncer.url,
        BLOCKMILL_RPC_URLS: scene.node.urls.join(","),
      },
    });
    const exit = await program.exit;
    assert.equal(exit.code, 78, program.output.join("\n"));
    assert.match(program.output.join("\n"), /set database\.listen_url/);
  }
  assert.deepEqual(await scene.jobs(), [], "nothing was begun");
});

test("a PgBouncer that refuses or drops the settings of a session is refused, and the message names database.listen_url", {
  skip,
}, async (t) => {
  const { pgbouncer } = await place(t, transaction);
  const first = await refusal({ url: pgbouncer.url }, ["http://127.0.0.1:1"]);
  assert.equal(first.code, 78, first.said);
  assert.match(first.said, /unsupported startup parameter.*set database\.listen_url/);

  const { pgbouncer: forgetful } = await place(t, { pool_mode: "session", ...ignored });
  const second = await refusal({ url: forgetful.url }, ["http://127.0.0.1:1"]);
  assert.equal(second.code, 78, second.said);
  assert.match(
    second.said,
    /drops the settings.*search_path is .* instead of "public,pg_temp".*database\.listen_url/,
  );
});

test("through PgBouncer in session mode, with the settings given to the role, a daemon works as without it", {
  skip,
}, async (t) => {
  const { database, pgbouncer } = await place(t, { pool_mode: "session", ...ignored }, { hasSettings: true });
  const scene = await setScene(t, { database: { url: pgbouncer.url, pool: database.pool } });
  const daemon = await scene.start({
    pipeline: { check_interval: 3_600 },
  });
  await scene.insert(1, 20);
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 20));
  // What PgBouncer keeps open bears the names of those who used it last.
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("through PgBouncer in transaction mode, with database.listen_url, inserts wake a daemon that stores blocks", {
  skip,
}, async (t) => {
  const { database, pgbouncer } = await place(t, transaction);
  const scene = await setScene(t, { database: { url: pgbouncer.url, pool: database.pool } });
  // No sweep and no poll comes to help: what wakes the workers are notifications.
  const daemon = await scene.start({
    database: { listen_url: database.url },
    pipeline: { check_interval: 3_600 },
  });
  for (const from of [1, 21, 41]) {
    await scene.insert(from, from + 19);
    await scene.settled();
  }
  await scene.assertWrittenOnce(numbers(1, 60));
  const { rows } = await scene.pool.query("select from processing_failures");
  assert.equal(rows.length, 0);
  // Claims of a worker that is killed are taken from it over the supervisor's own pooled connection.
  await scene.node.setFaults({ latencyMs: 2_000 });
  await scene.insert(61, 61);
  const [claim] = await scene.claimed();
  process.kill(daemon.child(claim?.worker_id ?? "").pid, "SIGKILL");
  await scene.node.clearFaults();
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 61));
  // What PgBouncer keeps open bears the names of those who used it last.
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("a database.listen_url that is the pooler's, or another database's, is refused", { skip }, async (t) => {
  const { pgbouncer } = await place(t, { ...transaction, ...ignored }, { hasSettings: true });
  const other = await createDatabase();
  t.after(() => other.drop());
  const { url } = pgbouncer;
  const pooled = await refusal({ url, listen_url: url }, ["http://127.0.0.1:1"]);
  assert.equal(pooled.code, 78, pooled.said);
  assert.match(pooled.said, /database\.listen_url: .*keeps no session.*must be PostgreSQL's own address/);
  const elsewhere = await refusal({ url, listen_url: other.url }, ["http://127.0.0.1:1"]);
  assert.equal(elsewhere.code, 78, elsewhere.said);
  assert.match(elsewhere.said, /database\.listen_url: it leads to another database than database\.url/);
});

test("a pooler that is away is waited for: the daemon starts, and works when it comes", {
  skip,
}, async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const away = new URL(database.url);
  away.port = String(await freePort());
  const scene = await setScene(t, { database: { url: away.href, pool: database.pool } });
  const daemon = await scene.start({ database: { listen_url: database.url } });
  await said(daemon, /whether the database keeps sessions is not known yet/);
  await scene.insert(1, 20);
  const pgbouncer = await startPgbouncer(database.url, { ...transaction, listen_port: away.port });
  try {
    await scene.settled();
    await scene.assertWrittenOnce(numbers(1, 20));
    assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  } finally {
    await pgbouncer.stop();
  }
});

test("the secrets of database.listen_url are redacted wherever they stand, and blotted out of what config prints", async () => {
  const password = "s3cret-of-the-listener";
  const program = await spawnProgram(["config", "--json"], {
    script: builtProgram,
    env: { BLOCKMILL_DATABASE_LISTEN_URL: `postgresql://blockmill:${password}@host.example:5432/chain` },
  });
  assert.deepEqual(await program.exit, { code: 0, signal: null });
  if (!program.child.stdout?.closed) await once(program.child.stdout ?? program.child, "close");
  const output = program.output.join("\n");
  assert.match(output, /"value": "postgresql:\/\/host\.example:5432"/);
  assert(!output.includes(password));

  const { config } = loadConfig({
    env: {},
    flags: [{ path: "database.listen_url", flag: "--set", text: `postgresql://u:${password}@h/d` }],
  });
  assert(!createRedact(secretsOf(config))(`lost: ${password}`).includes(password));
});

test("a pooler in statement mode is refused", { skip }, async (t) => {
  const { database, pgbouncer } = await place(t, { pool_mode: "statement" });
  const { code, said } = await refusal({ url: pgbouncer.url, listen_url: database.url }, [
    "http://127.0.0.1:1",
  ]);
  assert.equal(code, 78, said);
  assert.match(
    said,
    /database\.url: its pooler keeps no transaction together .*expected pool_mode transaction/,
  );
});

test("through a pooler every transaction has our settings whatever others left there, and leaves none", {
  skip,
}, async (t) => {
  // One connection to the server, which everybody shares.
  const { database, pgbouncer } = await place(t, { ...transaction, default_pool_size: "1" });
  const options = optionsOf(database.url, pgbouncer.url);
  const pool = createPool(options);
  const other = createPool({ ...options, schema: "Mixed", statementTimeoutMs: 7_000 });
  t.after(() => Promise.all([pool.end(), other.end()]));
  const read =
    "select current_setting('search_path') as path, current_setting('statement_timeout') as timeout, current_setting('TimeZone') as zone";
  const ours = [{ path: "public,pg_temp", timeout: "10s", zone: "UTC" }];
  assert.deepEqual((await pool.query(read)).rows, ours);
  const stranger = new pg.Client({ connectionString: pgbouncer.url, application_name: "blockmill-test" });
  await stranger.connect();
  const { rows: theirs } = await stranger.query("show search_path");
  await stranger.end();
  assert.deepEqual(theirs, [{ search_path: '"$user", public' }]);
  // What a careless client leaves behind.
  await other.query("select set_config('search_path', 'pg_catalog', false)");
  await other.query("select set_config('TimeZone', 'Asia/Tokyo', false)");
  assert.deepEqual((await pool.query(read)).rows, ours);
  assert.deepEqual(await inTransaction(pool, async (tx) => (await tx.query(read)).rows), ours);
  assert.deepEqual((await other.query(read)).rows, [{ path: '"Mixed",pg_temp', timeout: "7s", zone: "UTC" }]);

  // Statements that have names where there is no pooler.
  const named = { name: "sum", text: "select $1::int + 1 as n", values: [1] };
  for (const each of [pool, other, pool]) assert.deepEqual((await each.query(named)).rows, [{ n: 2 }]);
  const { rows } = await pool.query("select name from pg_prepared_statements");
  assert.deepEqual(rows, []);

  // A statement outside of a transaction would run with whatever settings are there.
  const client = await pool.connect();
  assert.throws(() => client.query("select 1"), /in a transaction/);
  client.release();
});

test("through a pooler a full-speed archive goes on, though VACUUM cannot be run there", {
  skip,
}, async (t) => {
  const { database, pgbouncer } = await place(t, transaction);
  const pool = createPool(optionsOf(database.url, pgbouncer.url));
  const flags = Object.entries({
    "database.listen_url": database.url,
    "queue.completed_kept": 0,
    "queue.archive_minutes": 0,
    "queue.history_days": 0,
  }).map(([path, value]) => ({ path, value, flag: path }));
  try {
    const { config } = loadConfig({ env: {}, flags });
    const archive = createDuties({
      pool,
      config,
      log: silent,
      ownSupervisor: () => undefined,
      reconnectedAt: undefined,
    }).find(({ name }) => name === "archive");
    await database.pool.query(`insert into processing_jobs (block_number, status, completed_at)
      select n, 'completed', now() - interval '1 minute' from generate_series(1, 25000) as n`);
    while ((await archive?.run()) === 0);
    const { rows } = await database.pool.query("select from processing_jobs");
    assert.equal(rows.length, 0);
  } finally {
    await pool.end();
  }
});

test("a direct connection is proven to be a session within milliseconds, and leaves nothing behind", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const options = optionsOf(database.url);
  const pool = createPool(options);
  await pool.query("select 1");
  const started = performance.now();
  assert.equal(await findSessionFault(options, pool), null);
  t.diagnostic(`${Math.round(performance.now() - started)} ms`);
  await pool.end();
  const { rows } = await database.pool.query(`select from pg_locks where locktype = 'advisory'
     and database = (select oid from pg_database where datname = current_database())`);
  assert.equal(rows.length, 0);
});
