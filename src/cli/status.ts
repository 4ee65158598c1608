import { type Command, Option } from "commander";
import { readStatus } from "../status/read-status.js";
import { sentenceOf } from "../status/sentence.js";
import { abortOnSignals } from "./abort-on-signals.js";
import { wholeNumber } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { formatStatus } from "./status-report.js";
import { createPaint } from "./terminal.js";
import { watchStatus } from "./watch-status.js";
import { withLockTimeout } from "./with-lock-timeout.js";

export function addStatus(program: Command): void {
  program
    .command("status")
    .description("what is stored, what waits, who works, and what went wrong")
    .option("--json", "print JSON")
    .addOption(
      new Option("--check", "print one line, and say by the exit code how it is, as Nagios has it").conflicts(
        ["watch", "json"],
      ),
    )
    .option("--watch [seconds]", "look again and again (default: each 2 s); q quits", watchSeconds)
    .addHelpText(
      "after",
      `
Reads the database only, and cheaply at any size of the queue: counts stop at a bound, which >= tells.
The rate is what was completed within the last minute. A worker is lost when its host's session in
PostgreSQL is gone; another daemon takes its claims back within seconds.

With --watch a terminal shows the newest state; elsewhere each look is a line: the sentence, or with --json all of it.
A database that is away is waited for.

With --check the exit code is 0: well. 1: warning (an alert of that priority is open, or work is paused). 2: critical
(an alert of priority err is open, no daemon leads, or the database cannot be reached). 3: unknown (the configuration
or the schema is wrong).

Examples:
  blockmill status -c mainnet.json
  blockmill status --json | jq .jobs.failed.count
  blockmill status --watch -c mainnet.json`,
    )
    .action(async (...given: unknown[]) => {
      let checked: number | undefined;
      await run(async (session: Session, options: StatusOptions) => {
        if (!options.check) return status(session, options);
        checked = await check(session);
        return checked;
      })(...given);
      const { check: isCheck } = given[0] as StatusOptions;
      if (isCheck && checked === undefined) process.exitCode = uncheckedCode(process.exitCode);
    });
}

interface StatusOptions {
  json?: boolean;
  check?: boolean;
  /** Seconds; true: as many as it is by default. */
  watch?: number | true;
}

const defaultWatchSeconds = 2;
const watchSeconds = wholeNumber({ min: 1, max: 3_600 });

/** Exit codes of a plugin: https://www.monitoring-plugins.org/doc/guidelines.html#AEN78 */
const checkCodes = { well: 0, warning: 1, critical: 2, unknown: 3 } as const;
const checkWords = { well: "OK", warning: "WARNING", critical: "CRITICAL", unknown: "UNKNOWN" } as const;

async function check(session: Session): Promise<number> {
  const now = await withDatabase(session, (pool) => withLockTimeout(pool, () => readStatus(pool, session)));
  const { level, text } = sentenceOf(now);
  process.stdout.write(`${checkWords[level]}: ${text}\n`);
  return checkCodes[level];
}

/** What could not be looked at. Standard error has said why; a monitoring system reads standard output. */
function uncheckedCode(code: typeof process.exitCode): number {
  const level = code === exitCodes.unavailable ? "critical" : "unknown";
  const why = level === "critical" ? "the database cannot be reached" : "the state cannot be read";
  process.stdout.write(`${checkWords[level]}: ${why}; standard error says more\n`);
  return checkCodes[level];
}

async function status(session: Session, { json = false, watch }: StatusOptions): Promise<number> {
  if (watch !== undefined)
    return watched(session, { json, everySeconds: watch === true ? defaultWatchSeconds : watch });
  const now = await withDatabase(session, (pool) => withLockTimeout(pool, () => readStatus(pool, session)));
  process.stdout.write(
    json ? `${JSON.stringify(now, null, 2)}\n` : formatStatus(now, createPaint(process.stdout)),
  );
  return exitCodes.done;
}

async function watched(
  session: Session,
  { json, everySeconds }: { json: boolean; everySeconds: number },
): Promise<number> {
  const { signal, forgetSignals } = abortOnSignals();
  await withDatabase(session, (pool) =>
    watchStatus({
      read: () => withLockTimeout(pool, () => readStatus(pool, session)),
      redact: session.redact,
      everyMs: everySeconds * 1_000,
      json,
      signal,
      input: process.stdin,
      output: process.stdout,
    }),
  ).finally(forgetSignals);
  return exitCodes.done;
}
