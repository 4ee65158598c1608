import type { Command } from "commander";
import type pg from "pg";
import type { VerifyLevel } from "../chain/verify/verify-block.js";
import { sessionUrl } from "../child/connections.js";
import { environment } from "../config/environment.js";
import { inTransaction } from "../db/pool.js";
import { checkTool, libpqEnvironment } from "../db/postgres-tools.js";
import { type Archive, openArchive, restoreArchive } from "../db/restore-archive.js";
import { applySchema } from "../db/schema.js";
import { newerSchema, schemaVersion } from "../db/schema-version.js";
import { UsageError } from "../errors.js";
import { planVerification } from "../pipeline/verify-stored.js";
import { requeueInHand, resumeWork } from "../queue/pause.js";
import { readDepth } from "../queue/read-depth.js";
import { storedBounds } from "../store/stored-numbers.js";
import { count, plural } from "../wording.js";
import { abortOnSignals } from "./abort-on-signals.js";
import { wholeNumber } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { createReport } from "./verify-report.js";

export function addRestore(program: Command): void {
  program
    .command("restore")
    .description("make the schema anew from a file of `backup`, prove a sample of it, and let work go on")
    .argument("<file>", "what `blockmill backup` wrote")
    .option(
      "--without-others",
      "leave out what the backup holds beside blockmill's own tables, views and functions",
    )
    .option("--keep-paused", "leave it paused: work begins with `blockmill resume`")
    .option("--sample <n>", "blocks to prove, drawn at random", wholeNumber({ min: 0, max: 1_000_000 }), 100)
    .option(
      "-j, --jobs <n>",
      "tables and indexes that are restored at once",
      wholeNumber({ min: 1, max: 64 }),
      1,
    )
    .addHelpText(
      "after",
      `
The schema that database.schema names must be the backup's, and be missing or empty. It comes up paused, so
that nobody works on half of it. What was claimed when the backup was taken is pending again, uncounted; the
processes of that time are forgotten. If a block of the sample is wrong it stays paused. Owner of
everything is whoever runs this; roles get their rights back by \`blockmill grant\`.

A backup is SQL, which defines tables, functions and triggers as whoever runs this. One that holds others than
blockmill's is refused, and they are named. Restore only backups that you trust.

pg_restore must be on the PATH, and no older than the server.

Exit code 0: it is restored, and nothing of the sample is wrong. 1: it is restored, but some blocks are wrong.

Examples:
  blockmill restore mainnet.dump -c mainnet.json
  blockmill restore mainnet.dump --keep-paused --jobs 4 --sample 10000 -c mainnet.json`,
    )
    .action(run(restore));
}

interface RestoreOptions {
  withoutOthers?: boolean;
  keepPaused?: boolean;
  sample: number;
  jobs: number;
}

async function restore(session: Session, options: RestoreOptions, file: string): Promise<number> {
  const { schema } = session.config.database;
  const env = libpqEnvironment(sessionUrl(session.config), {
    env: environment,
    applicationName: `blockmill restore ${process.pid}`,
  });
  const { signal, forgetSignals } = abortOnSignals();
  const restoreInto = async (pool: pg.Pool): Promise<number> => {
    await checkTool("pg_restore", pool, env);
    const archive = await openArchive(file, env);
    checkArchive(archive, { schema, withoutOthers: options.withoutOthers ?? false });
    await restoreArchive(pool, archive, { env, jobs: options.jobs, reason: `restored from ${file}`, signal });
    await applySchema(pool, schema);
    // Whatever the backup called by our functions' names: from here on they are this program's.
    if (archive.version < schemaVersion) await applySchema(pool, schema);
    const requeued = await inTransaction(pool, requeueInHand);
    process.stdout.write(await describe(pool, { archive, requeued }));
    const level = session.config.chain.verify as VerifyLevel;
    const { sample } = options;
    const code = sample === 0 ? exitCodes.done : await prove(pool, { sample, level, signal });
    process.stdout.write(await conclude(pool, { code, keepPaused: options.keepPaused ?? false }));
    return code;
  };
  try {
    return await withDatabase(session, restoreInto, { needsSchema: false });
  } finally {
    forgetSignals();
  }
}

const strangersNamed = 5;

function checkArchive(
  { file, schema: from, version, strangers }: Archive,
  { schema, withoutOthers }: { schema: string; withoutOthers: boolean },
): void {
  if (from !== schema) {
    throw new UsageError(
      `${file} is a backup of the schema "${from}", the configuration names "${schema}": restore it with --set database.schema=${from}, then ALTER SCHEMA ... RENAME TO ...`,
    );
  }
  if (version > schemaVersion) throw newerSchema(schema, version);
  if (strangers.length === 0 || withoutOthers) return;
  const named = strangers.slice(0, strangersNamed).map(({ what }) => what);
  const more = strangers.length > named.length ? ` and ${strangers.length - named.length} more` : "";
  throw new UsageError(
    `${file} holds what is no part of blockmill: ${named.join(", ")}${more}. It would be defined, and might run, as the owner of the tables: look at it (pg_restore --file=- ${file}), then leave it out by --without-others`,
  );
}

async function describe(
  pool: pg.Pool,
  { archive, requeued }: { archive: Archive; requeued: number },
): Promise<string> {
  const bounds = await storedBounds(pool);
  const { jobs, stored } = await readDepth(pool);
  const amount = (of: { count: number; atLeast: boolean }, noun?: string) =>
    `${of.atLeast ? "at least " : ""}${noun === undefined ? count(of.count) : plural(of.count, noun)}`;
  const blocks =
    bounds === null
      ? "no block"
      : `${amount(stored, "stored block")}, between ${count(bounds.from)} and ${count(bounds.to)}`;
  const taken = archive.takenAt === null ? "" : `, taken ${archive.takenAt},`;
  const { pending, scheduled, failed } = jobs;
  return [
    `Restored the schema "${archive.schema}" from ${archive.file}${taken} with ${blocks}.`,
    `${amount(pending)} pending, ${amount(scheduled)} scheduled, ${amount(failed)} failed; ${plural(requeued, "job")} in hand at that time will run again.`,
    "",
  ].join("\n");
}

async function prove(
  pool: pg.Pool,
  { sample, level, signal }: { sample: number; level: VerifyLevel; signal: AbortSignal },
): Promise<number> {
  const started = performance.now();
  const plan = await planVerification({ pool, span: null, sample, level, recoverSenders: true, signal });
  const report = createReport({ json: false, repair: false });
  for await (const batch of plan.run()) report.add(batch);
  return report.end({ ...plan, requeued: 0, interrupted: signal.aborted, ms: performance.now() - started });
}

async function conclude(
  pool: pg.Pool,
  { code, keepPaused }: { code: number; keepPaused: boolean },
): Promise<string> {
  if (code === exitCodes.done && !keepPaused) {
    await resumeWork(pool);
    return "Work goes on.\n";
  }
  const why = code === exitCodes.done ? "" : ", since not all of the sample is proven";
  return `It stays paused${why}: blockmill resume lets work go on.\n`;
}
