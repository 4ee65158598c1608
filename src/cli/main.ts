// The program: one file per command beside this one.

import { Command, CommanderError, InvalidArgumentError } from "commander";
import { describeError, UsageError } from "../errors.js";
import { createRedact, type Redact } from "../redact.js";
import { version } from "../version.js";
import { exitCodeOf, exitCodes } from "./exit-codes.js";
import { init } from "./init.js";
import { type GlobalOptions, openSession, type Session } from "./session.js";
import { start } from "./start.js";

type Action = (session: Session, options: GlobalOptions, ...args: never[]) => Promise<number>;

function createProgram(): Command {
  const program = new Command("blockmill")
    .description(
      "Turns an EVM chain into PostgreSQL rows. Every block is a job in the table processing_jobs.",
    )
    .version(version)
    .option("-c, --config <file>", "the configuration, as JSON (also $BLOCKMILL_CONFIG)")
    .option("--database-url <url>", "database.url, for trying things out (others can read a command line)")
    .option("--schema <name>", "database.schema")
    .option("--rpc-url <url...>", "rpc.urls")
    .option("--log-level <level>", "log.level")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError();

  program.command("init").description("create the tables (safe to run again)").action(run(init));
  program
    .command("start")
    .description("follow the chain and work on jobs until SIGTERM or Ctrl-C")
    .option("-w, --workers <n>", "pipeline.workers", wholeNumber)
    .action(run(start, { logTo: process.stdout }));
  return program;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError("expected a whole number.");
  }
  return value;
}

/** Makes a command's handler: opens its session, sets the exit code, and reports what goes wrong. */
function run(action: Action, { logTo = process.stderr }: { logTo?: NodeJS.WritableStream } = {}) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<GlobalOptions>();
    let redact = createRedact([]);
    try {
      const session = openSession(options, logTo);
      redact = session.redact;
      process.exitCode = await action(session, options, ...(given.slice(0, -2) as never[]));
    } catch (error) {
      process.exitCode = report(error, redact);
    }
  };
}

/** What went wrong, in one line on standard error, without secrets. Returns the exit code that it means. */
function report(error: unknown, redact: Redact): number {
  process.stderr.write(`blockmill: ${redact(describeError(error))}\n`);
  if (error instanceof UsageError) process.stderr.write("blockmill --help lists the commands.\n");
  const code = exitCodeOf(error);
  if (code === exitCodes.software && error instanceof Error)
    process.stderr.write(`${redact(error.stack ?? "")}\n`);
  return code;
}

try {
  await createProgram().parseAsync();
} catch (error) {
  // commander has printed its help or its complaint already.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
}
