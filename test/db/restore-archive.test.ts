// What is restored of a backup, and what is refused. Backups under load, and of partitions: test/ops/backup.test.ts.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, type TestContext, test } from "node:test";
import type pg from "pg";
import { createPool } from "../../src/db/pool.js";
import { libpqEnvironment, runTool, ToolError } from "../../src/db/postgres-tools.js";
import { openArchive, restoreArchive } from "../../src/db/restore-archive.js";
import { schemaVersion } from "../../src/db/schema-version.js";
import { UsageError } from "../../src/errors.js";
import { blockmill } from "../cli/blockmill.js";
import { type DebianPostgres, skip, startDebianPostgres } from "../support/debian-postgres.js";

let server: DebianPostgres;
let folder: string;
let databases = 0;
before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "blockmill-archive-"));
  if (!skip) server = await startDebianPostgres();
});
after(async () => {
  rmSync(folder, { recursive: true });
  if (!skip) await server.destroy();
});

interface Place {
  pool: pg.Pool;
  url: string;
  env: NodeJS.ProcessEnv;
}

async function place(t: TestContext): Promise<Place> {
  databases += 1;
  const url = await server.createDatabase(`archive_${databases}`);
  const pool = createPool({
    url,
    schema: "public",
    applicationName: "blockmill-test archive",
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 60_000,
    min: 0,
    max: 2,
  });
  t.after(() => pool.end());
  const env = {
    ...libpqEnvironment(url, { env: {}, applicationName: "blockmill-test archive" }),
    PATH: server.path,
  };
  return { pool, url, env };
}

/** A place with tables, a job and a worker, and a dump of `args` of it. */
async function dump(t: TestContext, ...args: string[]): Promise<string> {
  const source = await place(t);
  const init = await blockmill(["init"], { BLOCKMILL_DATABASE_URL: source.url });
  assert.equal(init.code, 0, init.stderr);
  await source.pool.query(`
    insert into processing_jobs (block_number) values (7);
    insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version, state)
      values ('a/w1', 'a', 'worker', 'h', 1, '1', 'idle');
    update processing_control set paused_at = now(), reason = 'of the source'`);
  const file = path.join(folder, `${databases}.dump`);
  await runTool("pg_dump", ["--format=custom", `--file=${file}`, ...args], { env: source.env });
  return file;
}

/** An empty schema, and what restores into it. */
async function target(t: TestContext) {
  const { pool, env } = await place(t);
  const restore = async (file: string, isKept: (line: string) => boolean = () => true) => {
    const archive = await openArchive(file, env);
    const signal = new AbortController().signal;
    const contents = archive.contents.filter(isKept);
    await restoreArchive(pool, { ...archive, contents }, { env, jobs: 2, reason: "just restored", signal });
  };
  return { pool, env, restore };
}

test("an archive tells its schema, its version and when it was taken", { skip }, async (t) => {
  const { env } = await place(t);
  const { schema, version, takenAt } = await openArchive(await dump(t), env);
  assert.deepEqual({ schema, version }, { schema: "public", version: schemaVersion });
  assert.match(takenAt ?? "", /^\d{4}-\d\d-\d\d /);
});

test("a file that is no archive, one of other tables, and one without a version are the caller's mistake", {
  skip,
}, async (t) => {
  const { env } = await place(t);
  const text = path.join(folder, "text");
  writeFileSync(text, "no archive");
  await assert.rejects(openArchive(text, env), UsageError);
  await assert.rejects(openArchive(path.join(folder, "none"), env), UsageError);
  const others = await dump(t, "--table=alerts");
  await assert.rejects(openArchive(others, env), /is not a backup of a blockmill schema/);
  const versionless = await dump(t, "--table=processing_jobs", "--table=schema_version", "--schema-only");
  await assert.rejects(openArchive(versionless, env), /holds no schema version/);
});

test("a restored schema is paused with the given reason, and has the source's rows but for its processes and its pause", {
  skip,
}, async (t) => {
  const { pool, restore } = await target(t);
  await restore(await dump(t));
  const { rows } = await pool.query<{ jobs: number; workers: number; reasons: string[]; counted: number }>(
    `select (select count(*)::int from processing_jobs) as jobs, (select count(*)::int from processing_workers) as workers,
       (select array_agg(reason) from processing_control) as reasons,
       (select reltuples::int from pg_class where oid = 'processing_jobs'::regclass) as counted`,
  );
  assert.deepEqual(rows, [{ jobs: 1, workers: 0, reasons: ["just restored"], counted: 1 }]);
});

test("nothing is restored into a schema that holds anything", { skip }, async (t) => {
  const file = await dump(t);
  for (const thing of [
    "create table mine (n int)",
    "create type mine as enum ('a')",
    "create function mine() returns int language sql as 'select 1'",
  ]) {
    const { pool, restore } = await target(t);
    await pool.query(thing);
    await assert.rejects(
      restore(file),
      (error) => error instanceof UsageError && /is not empty/.test(error.message),
    );
    const { rows } = await pool.query("select to_regclass('processing_jobs') as jobs");
    assert.deepEqual(rows, [{ jobs: null }]);
  }
});

test("a restore that breaks off says how to begin again", { skip }, async (t) => {
  const { restore } = await target(t);
  await assert.rejects(
    // Its rows have no place to go to.
    restore(await dump(t), (line) => !line.includes(" TABLE public alerts ")),
    (error) =>
      error instanceof ToolError &&
      /the schema is not whole: drop schema "public" cascade, then restore again/.test(error.message),
  );
});
