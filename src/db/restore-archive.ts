import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type pg from "pg";
import { UsageError } from "../errors.js";
import { findStrangers, type Stranger } from "./archive-strangers.js";
import { lockSchema } from "./migrations.js";
import { inTransaction } from "./pool.js";
import { runTool, ToolError } from "./postgres-tools.js";

/** A file of `blockmill backup`. */
export interface Archive {
  file: string;
  /** The schema that it holds. */
  schema: string;
  /** That schema's version. */
  version: number;
  /** When it was taken, in pg_dump's words; null: they are not understood. */
  takenAt: string | null;
  /** pg_restore's table of contents, a line an object. */
  contents: string[];
  /** What of it is no part of blockmill. */
  strangers: Stranger[];
}

/** Looks into a file. Throws a UsageError if it is not a backup of a blockmill schema. */
export async function openArchive(file: string, env: NodeJS.ProcessEnv): Promise<Archive> {
  const listed = await runTool("pg_restore", ["--list", file], { env }).catch(asUsageError);
  const contents = listed.split("\n");
  const schema = /^\d+; \d+ \d+ TABLE (\S+) processing_jobs /m.exec(listed)?.[1];
  if (schema === undefined) throw new UsageError(`${file} is not a backup of a blockmill schema`);
  const takenAt = /^; Archive created at (.+)$/m.exec(listed)?.[1] ?? null;
  const version = await readVersion(file, schema, env);
  const derived = await readDerived(file, schema, env);
  return {
    file,
    schema,
    contents,
    takenAt,
    version,
    strangers: findStrangers(contents, { schema, derived }),
  };
}

/** A file that cannot be read is the caller's. */
function asUsageError(error: unknown): never {
  if (error instanceof ToolError) throw new UsageError(error.message);
  throw error;
}

/** The newest version in the backup, from its rows: a line that begins with a number each. */
async function readVersion(file: string, schema: string, env: NodeJS.ProcessEnv): Promise<number> {
  const only = ["--data-only", `--schema=${schema}`, "--table=schema_version"];
  const script = await runTool("pg_restore", [...only, "--file=-", file], { env });
  const versions = [...script.matchAll(/^(\d+)\t/gm)].map(([, version]) => Number(version));
  if (versions.length === 0) throw new UsageError(`${file} holds no schema version: it is no whole backup`);
  return Math.max(...versions);
}

/** The tables that the backup's chain_tables lists. */
async function readDerived(file: string, schema: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  const only = ["--data-only", `--schema=${schema}`, "--table=chain_tables"];
  const script = await runTool("pg_restore", [...only, "--file=-", file], { env });
  return [...script.matchAll(/^([a-z][a-z0-9_]{0,39})\t/gm)].flatMap(([, name]) => name ?? []);
}

// The schema is there by then; the pause is ours, and the processes are not those of this database.
const leftOut = /^\d+; \d+ \d+ (?:(?:SCHEMA|COMMENT|ACL) - |TABLE DATA \S+ processing_(?:control|workers) )/;

export interface RestoreArchiveOptions {
  env: NodeJS.ProcessEnv;
  jobs: number;
  /** What the pause says. */
  reason: string;
  signal: AbortSignal;
}

/**
 * Restores what is blockmill's of an archive into its schema, which must be missing or empty, and leaves that paused.
 * Throws a UsageError, and changes nothing, if it holds anything.
 *
 * The pause is written between the tables' definitions and their rows: at no moment is there a job that
 * somebody could claim.
 */
export async function restoreArchive(
  pool: pg.Pool,
  { file, schema, contents, strangers }: Archive,
  { env, jobs, reason, signal }: RestoreArchiveOptions,
): Promise<void> {
  await prepareSchema(pool, schema);
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-restore-"));
  const list = path.join(folder, "contents");
  const others = new Set(strangers.map(({ line }) => line));
  const kept = contents.filter((line) => !leftOut.test(line) && !others.has(line));
  const restore = (...sections: string[]) =>
    runTool(
      "pg_restore",
      [
        "--no-owner",
        "--no-privileges",
        "--no-password",
        "--exit-on-error",
        `--use-list=${list}`,
        `--jobs=${jobs}`,
        ...sections.map((section) => `--section=${section}`),
        // Empty: the environment's.
        "--dbname=",
        file,
      ],
      { env, signal },
    );
  try {
    await writeFile(list, kept.join("\n"));
    await restore("pre-data");
    await pool.query("insert into processing_control (paused_at, reason) values (clock_timestamp(), $1)", [
      reason,
    ]);
    await restore("data", "post-data");
    // Plans are bad until somebody counted the rows, and autovacuum comes when it comes.
    await analyzeAll(pool);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new ToolError(
      `${error.message}; the schema is not whole: drop schema "${schema}" cascade, then restore again`,
      error.facts,
      { cause: error },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The tables of the schema; the partitions come with theirs. */
async function analyzeAll(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ tables: string | null }>(
    `select string_agg(format('%I.%I', nspname, relname), ', ') as tables
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = current_schema() and relkind in ('r', 'p') and not relispartition`,
  );
  const tables = rows[0]?.tables ?? null;
  if (tables !== null) await pool.query(`analyze ${tables}`);
}

async function prepareSchema(pool: pg.Pool, schema: string): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await lockSchema(tx, schema);
    const { rows } = await tx.query<{ things: number }>(
      `select (select count(*) from pg_class where relnamespace = pg_namespace.oid)
         + (select count(*) from pg_proc where pronamespace = pg_namespace.oid)
         + (select count(*) from pg_type where typnamespace = pg_namespace.oid) as things
       from pg_namespace where nspname = $1`,
      [schema],
    );
    const found = rows[0];
    if (found === undefined) await tx.query(`create schema "${schema}"`);
    else if (found.things > 0) {
      throw new UsageError(
        `the schema "${schema}" is not empty: a backup is only restored into a new one; rename or drop what is there first`,
      );
    }
  });
}
