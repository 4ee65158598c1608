import { existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import type { Command } from "commander";
import { sessionUrl } from "../child/connections.js";
import { environment } from "../config/environment.js";
import { checkTool, libpqEnvironment, runTool } from "../db/postgres-tools.js";
import { UsageError } from "../errors.js";
import { span } from "../wording.js";
import { abortOnSignals } from "./abort-on-signals.js";
import { exitCodes } from "./exit-codes.js";
import { noteOrTell } from "./note-upkeep.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";

export function addBackup(program: Command): void {
  program
    .command("backup")
    .description("write the schema to a file, with pg_dump, while daemons go on")
    .argument("[file]", "the file (default: SCHEMA-TIME.dump, UTC, in the current folder)")
    .option("-f, --force", "replace a file that is there")
    .addHelpText(
      "after",
      `
The file is pg_dump's custom format, of one snapshot: every block's rows are in it if and only if its job
is completed in it. pg_dump must be on the PATH, and no older than the server. The file is written under
another name (FILE.part), and renamed when it is whole.

Examples:
  blockmill backup mainnet.dump -c mainnet.json
  blockmill restore mainnet.dump -c elsewhere.json`,
    )
    .action(run(backup));
}

async function backup(
  session: Session,
  { force = false }: { force?: boolean },
  named?: string,
): Promise<number> {
  const { schema } = session.config.database;
  const file = named ?? `${schema}-${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}.dump`;
  if (!force && existsSync(file)) throw new UsageError(`${file} is there already (--force replaces it)`);
  const started = performance.now();
  const { signal, forgetSignals } = abortOnSignals();
  try {
    const env = libpqEnvironment(sessionUrl(session.config), {
      env: environment,
      applicationName: `blockmill backup ${process.pid}`,
    });
    await withDatabase(session, (pool) => checkTool("pg_dump", pool, env));
    await writeWhole(file, { force }, (part) =>
      // Quoted, the pattern is the name itself: https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-PATTERNS
      runTool("pg_dump", ["--format=custom", `--schema="${schema}"`, "--no-password", `--file=${part}`], {
        env,
        signal,
      }),
    );
  } finally {
    forgetSignals();
  }
  await withDatabase(session, (pool) => noteOrTell(pool, "backup"));
  const { size } = await stat(file);
  const seconds = (performance.now() - started) / 1_000;
  process.stdout.write(
    `Wrote the schema "${schema}" to ${file}: ${(size / 1e6).toFixed(1)} MB in ${span(seconds)}.\n`,
  );
  return exitCodes.done;
}

/** A file has its name only once it is whole; what could not be finished is removed. For its owner's eyes only. */
async function writeWhole(
  file: string,
  { force }: { force: boolean },
  write: (part: string) => Promise<unknown>,
): Promise<void> {
  const part = `${file}.part`;
  try {
    await (await open(part, force ? "w" : "wx", 0o600)).close();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") {
      throw new UsageError(
        `${part} is there already: another backup runs, or one was killed (--force replaces it)`,
      );
    }
    throw new UsageError(`${part} cannot be written (${code})`);
  }
  try {
    await write(part);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
