import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, type TestContext, test } from "node:test";
import pg from "pg";
import { blockmill, type Ended, startBlockmill } from "../cli/blockmill.js";
import { readCatalog } from "../cli/catalog.js";
import { numbers, setScene, until } from "../daemon/scene.js";
import { commandLine, startDaemon } from "../support/daemon.js";
import { type DebianPostgres, skip, startDebianPostgres } from "../support/debian-postgres.js";
import { descendants } from "../support/process.js";

let server: DebianPostgres;
let databases = 0;

before(async () => {
  if (!skip) server = await startDebianPostgres();
});
after(async () => {
  if (!skip) await server.destroy();
});

interface Place {
  url: string;
  pool: pg.Pool;
  run(args: string[], env?: Record<string, string>): Promise<Ended>;
}

/** A new database, and the program with its URL in the environment. */
async function setPlace(t: TestContext, { init = true } = {}): Promise<Place> {
  databases += 1;
  const url = await server.createDatabase(`backup_${databases}`);
  const pool = new pg.Pool({ connectionString: url, max: 4, application_name: "blockmill-test" });
  t.after(() => pool.end());
  const run: Place["run"] = (args, env = {}) =>
    blockmill(args, { BLOCKMILL_DATABASE_URL: url, PATH: server.path, ...env });
  if (init) assert.equal((await run(["init"])).code, 0);
  return { url, pool, run };
}

function setFolder(t: TestContext): (name: string) => string {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-backup-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return (name) => path.join(folder, name);
}

const tables = ["blocks", "transactions", "logs", "withdrawals", "token_transfers"];

/** Each row of a chain table, in order, as PostgreSQL writes it. */
async function rowsOf(pool: pg.Pool, table: string, blocks: number[]): Promise<string[]> {
  const column = table === "blocks" ? "number" : "block_number";
  const { rows } = await pool.query(
    `select t::text as row from ${table} as t where ${column} = any ($1::bigint[]) order by 1`,
    [blocks],
  );
  return rows.map(({ row }) => row);
}

async function column(pool: pg.Pool, sql: string): Promise<number[]> {
  const { rows } = await pool.query({ text: sql, rowMode: "array" });
  return rows.map(([value]) => Number(value));
}

const completed = `
  select block_number from processing_jobs where status = 'completed'
  union select n from processing_coverage, unnest(blocks) as piece, generate_series(lower(piece), upper(piece) - 1) as n
  order by 1`;

test("a backup under load is restored elsewhere, finished there, and every row of it is the source's", {
  skip,
}, async (t) => {
  const last = 1_500;
  const file = setFolder(t);
  const source = await setPlace(t);
  const scene = await setScene(t, { node: { head: last, logsPerTransaction: 2 }, database: source });
  const daemon = await scene.start({
    queue: { archive_minutes: 0, completed_kept: 20 },
    // Slow enough that the backup is taken amid of it.
    pipeline: { batch_size: 20, fetch_concurrency: 20 },
  });
  await scene.node.setFaults({ latencyMs: 200 });
  await scene.insert(1, last);
  await until(async () => (await column(source.pool, completed)).length >= 60, "sixty blocks");
  const restored = await setPlace(t, { init: false });
  const written = await source.run(["backup", file("load.dump")]);
  assert.equal(written.code, 0, written.stderr);
  assert.match(written.stdout, /^Wrote the schema "public" to .*load\.dump: \d+\.\d MB in .*\n$/);
  assert.equal(statSync(file("load.dump")).mode & 0o777, 0o600);
  const { code, stdout, stderr } = await restored.run([
    "restore",
    file("load.dump"),
    // The scene's own trigger, which counts what is written.
    "--without-others",
    "--keep-paused",
    "--sample",
    "30",
  ]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /30 blocks proven, 0 wrong, 0 missing/);
  assert.match(stdout, /It stays paused: blockmill resume/);
  assert.match(stdout, /[1-9]\d* jobs? in hand at that time will run again/);
  t.diagnostic(stdout.split("\n").slice(0, 2).join(" "));

  // The snapshot was taken between commits: a block is there if and only if its job says so.
  const blocks = await column(restored.pool, "select number from blocks order by 1");
  assert.ok(blocks.length >= 60 && blocks.length < last, `${blocks.length} blocks`);
  assert.deepEqual(await column(restored.pool, completed), blocks);
  const open = await restored.pool.query(
    "select distinct status, attempts from processing_jobs where status <> 'completed'",
  );
  assert.deepEqual(open.rows, [{ status: "pending", attempts: 0 }]);
  assert.deepEqual((await restored.pool.query("select from processing_workers")).rows, []);
  const pause = await restored.pool.query(
    "select reason from processing_control where paused_at is not null",
  );
  assert.deepEqual(pause.rows, [{ reason: `restored from ${file("load.dump")}` }]);

  // The source goes on as if nothing had been. Its completed jobs are archived: none may be left to look at.
  await until(async () => (await column(source.pool, completed)).length === last, "all blocks in the source");
  await scene.node.clearFaults();
  await daemon.stop();
  const second = await startDaemon({ databaseUrl: restored.url, rpcUrls: scene.node.urls });
  t.after(() => second.destroy());
  assert.equal((await restored.run(["resume"])).code, 0);
  await until(
    async () => (await column(restored.pool, completed)).length === last,
    "all blocks in the restored database",
  );
  await second.stop();
  for (const table of tables) {
    const rows = await rowsOf(source.pool, table, numbers(1, last));
    assert.ok(rows.length > 0 || table === "withdrawals", table);
    assert.deepEqual(await rowsOf(restored.pool, table, numbers(1, last)), rows, table);
  }
  assert.deepEqual(await column(source.pool, "select number from blocks order by 1"), numbers(1, last));
});

test("what is restored has the catalog of the source, wakes workers, and is resumed unless told otherwise", {
  skip,
}, async (t) => {
  const file = setFolder(t);
  const [source, target] = [await setPlace(t), await setPlace(t, { init: false })];
  await source.pool.query(
    "insert into processing_jobs (block_number) values (7); create schema other; create table other.thing (a int)",
  );
  await source.run(["pause", "--reason", "of the source alone"]);
  assert.equal((await source.run(["backup", file("a.dump")])).code, 0);
  const { code, stdout, stderr } = await target.run(["restore", file("a.dump"), "--jobs", "2"]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /with no block\.\n1 pending, .*\nNothing is stored\.\nWork goes on\.\n$/);
  assert.deepEqual(await readCatalog(target.url), await readCatalog(source.url));
  const control = await target.pool.query("select paused_at, reason from processing_control");
  assert.deepEqual(control.rows, [{ paused_at: null, reason: null }]);
  assert.deepEqual((await target.pool.query("select to_regclass('other.thing') as thing")).rows, [
    { thing: null },
  ]);
  // Ids go on behind those of the source.
  const { rows } = await target.pool.query(
    "insert into processing_jobs (block_number) values (8) returning id::int",
  );
  assert.equal(rows[0].id, 2);
});

test("a sample that is not proven leaves it paused, with exit code 1", { skip }, async (t) => {
  const file = setFolder(t);
  const [source, target] = [await setPlace(t), await setPlace(t, { init: false })];
  const scene = await setScene(t, { database: source });
  const daemon = await scene.start();
  await scene.insert(1, 3);
  await scene.settled();
  await daemon.stop();
  await source.pool.query("update transactions set value = value + 1 where block_number = 2");
  assert.equal((await source.run(["backup", file("bad.dump")])).code, 0);
  const { code, stdout } = await target.run(["restore", file("bad.dump"), "--without-others"]);
  assert.equal(code, 1, stdout);
  assert.match(stdout, /2 blocks proven, 1 wrong/);
  assert.match(stdout, /It stays paused, since not all of the sample is proven/);
  const { rows } = await target.pool.query("select paused_at is not null as paused from processing_control");
  assert.deepEqual(rows, [{ paused: true }]);
});

test("a schema that holds anything is not restored into, and stays as it is", { skip }, async (t) => {
  const file = setFolder(t);
  const [source, target] = [await setPlace(t), await setPlace(t, { init: false })];
  assert.equal((await source.run(["backup", file("a.dump")])).code, 0);
  await target.pool.query("create table mine (a int)");
  const { code, stderr } = await target.run(["restore", file("a.dump")]);
  assert.equal(code, 2);
  assert.match(stderr, /the schema "public" is not empty/);
  const { rows } = await target.pool.query(
    "select relname from pg_class where relnamespace = 'public'::regnamespace",
  );
  assert.deepEqual(rows, [{ relname: "mine" }]);
});

test("another schema's backup, a newer one's, and a file that is none are refused before anything is made", {
  skip,
}, async (t) => {
  const file = setFolder(t);
  const [source, target] = [await setPlace(t, { init: false }), await setPlace(t, { init: false })];
  const named = ["--set", "database.schema=sepolia"];
  assert.equal((await source.run(["init", ...named])).code, 0);
  assert.equal((await source.run(["backup", file("s.dump"), ...named])).code, 0);
  writeFileSync(file("text"), "not a backup");
  await source.pool.query("create table public.blocks (a int)");
  assert.equal(
    (await source.run(["backup", file("foreign.dump")])).code,
    78,
    "no blockmill schema, no backup",
  );
  await source.pool.query("insert into sepolia.schema_version (version, accepts) values (1000, 1)");
  assert.equal((await source.run(["backup", file("newer.dump"), ...named])).code, 0);
  for (const [args, code, complaint] of [
    [[file("s.dump")], 2, /backup of the schema "sepolia", the configuration names "public"/],
    [[file("newer.dump"), ...named], 78, /version 1000, newer than this program's/],
    [[file("text")], 2, /pg_restore: error: input file/],
    [[file("missing")], 2, /could not open input file/],
  ] as const) {
    const refused = await target.run(["restore", ...args]);
    assert.equal(refused.code, code, refused.stderr);
    assert.match(refused.stderr, complaint);
  }
  const { rows } = await target.pool.query("select to_regnamespace('sepolia') as made");
  assert.deepEqual(rows, [{ made: null }]);
  assert.equal((await target.run(["restore", file("s.dump"), ...named])).code, 0);
});

test("functions, triggers and tables that are not blockmill's are refused by name, and left out on request", {
  skip,
}, async (t) => {
  const file = setFolder(t);
  const [source, target] = [await setPlace(t), await setPlace(t, { init: false })];
  await source.pool.query(`
    create table mine (a int);
    create function evil() returns trigger language plpgsql as $$ begin create table caught (); return null; end $$;
    create trigger evil after insert on processing_control execute function evil();
    create or replace function processing_jobs_notify() returns trigger language plpgsql as $$
      begin create table caught (); return null; end $$;
    alter table processing_jobs add constraint wild check (block_number > 0)`);
  assert.equal((await source.run(["backup", file("evil.dump")])).code, 0);
  const refused = await target.run(["restore", file("evil.dump")]);
  assert.equal(refused.code, 2, refused.stderr);
  for (const name of [
    "function public.evil()",
    "table public.mine",
    "trigger public.processing_control evil",
  ])
    assert(refused.stderr.includes(`the ${name}`), refused.stderr);
  assert.match(refused.stderr, /--without-others/);
  assert.deepEqual((await target.pool.query("select from pg_class where relname = 'blocks'")).rows, []);
  const restored = await target.run(["restore", file("evil.dump"), "--without-others"]);
  assert.equal(restored.code, 0, restored.stderr);
  await target.pool.query("insert into processing_jobs (block_number) values (1)");
  const { rows } = await target.pool.query(
    "select relname from pg_class where relname in ('mine', 'caught') union select proname from pg_proc where proname = 'evil'",
  );
  assert.deepEqual(rows, []);
});

test("a file that is there is not replaced unless --force, and a backup that fails leaves nothing", {
  skip,
}, async (t) => {
  const file = setFolder(t);
  const { run } = await setPlace(t);
  writeFileSync(file("there.dump"), "precious");
  const refused = await run(["backup", file("there.dump")]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /is there already \(--force replaces it\)/);
  assert.equal(readFileSync(file("there.dump"), "utf8"), "precious");

  const fake = (text: string) => {
    writeFileSync(file("pg_dump"), `#!/bin/sh\n${text}\n`);
    chmodSync(file("pg_dump"), 0o755);
    return { PATH: `${path.dirname(file("pg_dump"))}:${process.env.PATH}` };
  };
  const cut = fake(
    'case "$*" in *--version*) echo "pg_dump 99.1";; *) for a; do case "$a" in --file=*) echo half > "$(echo "$a" | cut -c8-)";; esac; done; echo "pg_dump: error: no space left" >&2; exit 1;; esac',
  );
  const failed = await run(["backup", file("there.dump"), "--force"], cut);
  assert.equal(failed.code, 69);
  assert.equal(failed.stderr, "blockmill: pg_dump: error: no space left\n");
  assert.equal(readFileSync(file("there.dump"), "utf8"), "precious");
  assert.equal(existsSync(file("there.dump.part")), false);

  const old = await run(["backup", file("old.dump")], fake('echo "pg_dump (PostgreSQL) 9.6.24"'));
  assert.equal(old.code, 78);
  assert.match(old.stderr, /pg_dump is of PostgreSQL 9, the server of \d+: install/);
  const absent = await run(["backup", file("none.dump")], { PATH: "/nonexistent" });
  assert.equal(absent.code, 78);
  assert.match(absent.stderr, /pg_dump is not on the PATH: install/);
  assert.equal(existsSync(file("none.dump")) || existsSync(file("old.dump")), false);

  assert.equal((await run(["backup", file("there.dump"), "--force"])).code, 0);
  assert.notEqual(readFileSync(file("there.dump"), "utf8"), "precious");
});

test("pg_dump's arguments hold no password, and a signal ends it and removes what it wrote", {
  skip,
}, async (t) => {
  const file = setFolder(t);
  const { url, pool } = await setPlace(t);
  // It waits for this lock, and can be looked at.
  const holder = await pool.connect();
  await holder.query("begin; lock table blocks in access exclusive mode");
  try {
    const backup = await startBlockmill(["backup", file("a.dump")], {
      BLOCKMILL_DATABASE_URL: url,
      PATH: server.path,
    });
    const dump = await until(
      () =>
        descendants(backup.pid).find((pid) => commandLine(pid).some((word) => word.startsWith("--file="))),
      "pg_dump",
    );
    await until(async () => {
      const { rows } = await pool.query(
        "select from pg_stat_activity where application_name like 'blockmill backup %'",
      );
      return rows.length > 0;
    }, "pg_dump's session");
    const words = [...commandLine(dump), ...commandLine(backup.pid)].join(" ");
    assert.ok(!words.includes(new URL(url).password), words);
    backup.child.kill("SIGTERM");
    const { code, stderr } = await backup.ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /pg_dump was interrupted/);
    assert.equal(existsSync(file("a.dump.part")) || existsSync(file("a.dump")), false);
  } finally {
    await holder.query("rollback");
    holder.release();
  }
});

test("a reader and a worker may take a backup", { skip }, async (t) => {
  const file = setFolder(t);
  const { url, pool, run } = await setPlace(t);
  await run(["cleanup"]);
  await pool.query(
    "create role backup_reader login password 'r'; create role backup_worker login password 'w'",
  );
  assert.equal((await run(["grant", "--reader", "backup_reader", "--worker", "backup_worker"])).code, 0);
  for (const [user, password] of [
    ["backup_reader", "r"],
    ["backup_worker", "w"],
  ] as const) {
    const as = new URL(url);
    Object.assign(as, { username: user, password });
    const { code, stderr } = await run(["backup", file(user)], { BLOCKMILL_DATABASE_URL: as.href });
    assert.equal(code, 0, stderr);
  }
});
