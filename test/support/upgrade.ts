// The harness of every migration: a database of the build before, a daemon of that build writing, `init` by the build
// after it, both at work, then a backup, a restore and a proof.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import pg from "pg";
import { blockmill, type Ended } from "../cli/blockmill.js";
import { readCatalog } from "../cli/catalog.js";
import { until } from "../daemon/scene.js";
import { assertCleanStop, type Daemon, startDaemon } from "./daemon.js";
import type { DebianPostgres } from "./debian-postgres.js";
import { type Fixture, startFixture } from "./fixture.js";
import type { Build } from "./other-builds.js";

/** What the build before left behind: a database that others are copied from. */
export interface Before {
  server: DebianPostgres;
  node: Fixture;
  build: Build;
  /** Blocks 0 to this are stored. */
  last: number;
  close(): Promise<void>;
}

const template = "upgrade_before";
/** Jobs in each state that nobody works on; no block of the chain. */
const halted = { failed: 900_001, cancelled: 900_002, scheduled: 900_003 };
/** Blocks that are worked on while the schema changes, and for each look at who works. */
const wave = 200;

/** Stores a chain by the build before, and leaves jobs in every state. */
export async function setBefore(
  build: Build,
  { server, blocks }: { server: DebianPostgres; blocks: number },
): Promise<Before> {
  const node = await startFixture({ head: blocks + 100 * wave, transactions: 1, logsPerTransaction: 1 });
  const url = await server.createDatabase(template);
  const env = { BLOCKMILL_DATABASE_URL: url, BLOCKMILL_RPC_URLS: node.url };
  const last = blocks - 1;
  succeeded(await blockmill(["init"], env, build.script));
  succeeded(await blockmill(["range", "0", String(last)], env, build.script));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `insert into processing_jobs (block_number, status, attempts, last_error, run_at, metadata) values
       (${halted.failed}, 'failed', 5, 'made up', now(), '"no object"'),
       (${halted.cancelled}, 'cancelled', 0, null, now(), null),
       (${halted.scheduled}, 'pending', 0, null, now() + interval '1 day', '{"mine": true}')`,
  );
  await client.end();
  const close = async () => {
    await node.stop();
  };
  return { server, node, build, last, close };
}

export interface Upgraded {
  url: string;
  pool: pg.Pool;
  /** Runs the build after. */
  run(args: string[], url?: string): Promise<Ended>;
  /** A restored copy. */
  restoredUrl: string;
}

let copies = 0;

/**
 * Upgrades a copy of it under a daemon of the build before, and proves what must hold of every migration. Both daemons
 * are stopped when it returns. `newestDigest`: the digest version that the build after writes.
 */
export async function upgrade(
  t: TestContext,
  before: Before,
  { build, newestDigest }: { build: Build; newestDigest: number },
): Promise<Upgraded> {
  const { server, node, last } = before;
  copies += 1;
  const url = await server.createDatabase(`upgrade_${copies}`, template);
  const restoredUrl = await server.createDatabase(`upgrade_${copies}_restored`);
  const freshUrl = await server.createDatabase(`upgrade_${copies}_fresh`);
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-upgrade-"));
  const pool = new pg.Pool({ connectionString: url, max: 4, application_name: "blockmill-test" });
  const daemons: Daemon[] = [];
  t.after(async () => {
    await Promise.all(daemons.map((daemon) => daemon.destroy()));
    await pool.end();
    rmSync(folder, { recursive: true });
  });
  const run = (args: string[], at = url) =>
    blockmill(
      args,
      { BLOCKMILL_DATABASE_URL: at, BLOCKMILL_RPC_URLS: node.url, PATH: server.path },
      build.script,
    );
  const start = async (of: Build) => {
    const config = { pipeline: { batch_size: 10, fetch_concurrency: 10 } };
    const daemon = await startDaemon({ databaseUrl: url, rpcUrls: node.urls, config, script: of.script });
    daemons.push(daemon);
    return daemon;
  };
  let next = last + 1;
  const insertWave = async () => {
    await pool.query(
      "insert into processing_jobs (block_number) select generate_series($1::bigint, $2::bigint)",
      [next, next + wave - 1],
    );
    next += wave;
  };
  const count = async (where: string, values: unknown[] = []) => {
    const { rows } = await pool.query<{ n: number }>(
      `select count(*)::int as n from processing_jobs where ${where}`,
      values,
    );
    return rows[0]?.n ?? 0;
  };

  // Slow enough that jobs are in hand and waiting while the schema changes.
  await node.setFaults({ latencyMs: 50 });
  const older = await start(before.build);
  await insertWave();
  await until(
    async () => (await count("status = 'completed' and block_number > $1", [last])) > 0,
    "a block by the build before",
  );
  await until(async () => (await count("status = 'processing'")) > 0, "jobs in hand");
  succeeded(await run(["init"]));
  const changed = (await pool.query<{ at: Date }>("select clock_timestamp() as at")).rows[0]?.at;
  const newer = await start(build);

  // Both go on: each has completed jobs that it claimed after the change.
  const worked = async ({ supervisorId }: Daemon) =>
    (await count("status = 'completed' and started_at > $1 and worker_id like $2 || '/%'", [
      changed,
      supervisorId,
    ])) > 0;
  const both = async () => (await worked(older)) && (await worked(newer));
  const settled = async () => (await count("status in ('pending', 'processing')")) === 0;
  do {
    await insertWave();
    await until(settled, "the blocks of a wave");
  } while (!(await both()));
  await node.clearFaults();

  // A backup beside both.
  await insertWave();
  const file = path.join(folder, "upgraded.dump");
  succeeded(await run(["backup", file]));
  await until(settled, "the blocks beside the backup");
  await older.stop();
  await assertCleanStop(newer, pool);

  const { rows: states } = await pool.query(
    "select block_number::int, status, attempts, last_error from processing_jobs where block_number > 900000 order by 1",
  );
  assert.deepEqual(states, [
    { block_number: halted.failed, status: "failed", attempts: 5, last_error: "made up" },
    { block_number: halted.cancelled, status: "cancelled", attempts: 0, last_error: null },
    { block_number: halted.scheduled, status: "scheduled", attempts: 0, last_error: null },
  ]);
  const { rows: stored } = await pool.query(
    "select count(*)::int as blocks, max(number)::int as last, max(digest_version) as newest, min(digest_version) as oldest from blocks",
  );
  assert.deepEqual(stored, [{ blocks: next, last: next - 1, newest: newestDigest, oldest: 1 }]);

  const verified = succeeded(await run(["verify", "--no-senders"]));
  assert.match(verified, new RegExp(`${next.toLocaleString("en")} blocks proven, 0 wrong, 0 missing`));
  succeeded(await run(["restore", file, "--sample", "200"], restoredUrl));
  assert.match(succeeded(await run(["verify", "--no-senders"], restoredUrl)), /, 0 wrong, 0 missing/);

  succeeded(await run(["init"], freshUrl));
  const wanted = await schemaOf(freshUrl);
  assert.deepEqual(await schemaOf(url), wanted, "the migrated schema is schema.sql's");
  assert.deepEqual(await schemaOf(restoredUrl), wanted, "and so is the restored one");
  return { url, pool, run, restoredUrl };
}

/** The catalog without the days of processing_history, which daemons make. */
async function schemaOf(url: string): Promise<unknown> {
  const kinds = Object.entries(await readCatalog(url));
  const isDay = (row: unknown) => /processing_history_\d{8}/.test(JSON.stringify(row));
  return Object.fromEntries(kinds.map(([kind, rows]) => [kind, rows.filter((row) => !isDay(row))]));
}

function succeeded({ code, stdout, stderr }: Ended): string {
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}
