import type { Command } from "commander";
import { isJournal } from "../config/service.js";
import { isRefusedConnection } from "../db/database-error.js";
import { DatabaseUnavailableError, describeError, UsageError } from "../errors.js";
import { createRedact, type Redact } from "../redact.js";
import { exitCodeOf, exitCodes } from "./exit-codes.js";
import { type GlobalOptions, openSession, type Session } from "./session.js";

/** What a command does, given what commander parsed. Returns the exit code. */
export type Action<Options, Args extends unknown[]> = (
  session: Session,
  options: GlobalOptions & Options,
  ...args: Args
) => Promise<number>;

/** Makes a command's handler: opens its session, sets the exit code, and reports what goes wrong. */
export function run<Options, Args extends unknown[]>(
  action: Action<Options, Args>,
  { logTo = process.stderr }: { logTo?: NodeJS.WritableStream } = {},
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const options = command.optsWithGlobals<GlobalOptions & Options>();
    let redact = createRedact([]);
    try {
      const session = openSession(options, logTo);
      redact = session.redact;
      process.exitCode = await action(session, options, ...(given.slice(0, -2) as Args));
    } catch (error) {
      process.exitCode = report(error, { command, redact });
    }
  };
}

/** Says what went wrong in one line on standard error, without secrets. Returns the exit code that it means. */
function report(error: unknown, { command, redact }: { command: Command; redact: Redact }): number {
  const code = exitCodeOf(error);
  // <3>: an error, in the journal's words.
  const prefix = isJournal(2) ? "<3>" : "";
  process.stderr.write(`${prefix}blockmill: ${redact(describeError(error))}${advice(error, command)}\n`);
  if (code === exitCodes.software && error instanceof Error) {
    process.stderr.write(`This is a defect of blockmill.\n${redact(error.stack ?? "")}\n`);
  }
  return code;
}

function advice(error: unknown, command: Command): string {
  if (error instanceof UsageError) return ` (see blockmill ${command.name()} --help)`;
  // Those say by themselves what to do.
  if (error instanceof DatabaseUnavailableError && error.facts.tls === true) return "";
  if (isRefusedConnection(error)) return " (does database.url name the right user, password and database?)";
  if (error instanceof DatabaseUnavailableError) return " (does database.url name a server that runs?)";
  return "";
}
