import type { Command } from "commander";
import { readStatus } from "../status/read-status.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { formatStatus } from "./status-report.js";
import { createPaint } from "./terminal.js";
import { withLockTimeout } from "./with-lock-timeout.js";

export function addStatus(program: Command): void {
  program
    .command("status")
    .description("what is stored, what waits, who works, and what went wrong")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Reads the database only, and cheaply at any size of the queue: counts stop at a bound, which >= tells.
The rate is what was completed within the last minute. A worker is lost when its host's session in
PostgreSQL is gone; another daemon takes its claims back within seconds.

Examples:
  blockmill status -c mainnet.json
  blockmill status --json | jq .jobs.failed.count
  watch -n 2 blockmill status -c mainnet.json`,
    )
    .action(run(status));
}

async function status(session: Session, { json }: { json?: boolean }): Promise<number> {
  const now = await withDatabase(session, (pool) => withLockTimeout(pool, () => readStatus(pool, session)));
  process.stdout.write(
    json ? `${JSON.stringify(now, null, 2)}\n` : formatStatus(now, createPaint(process.stdout)),
  );
  return exitCodes.done;
}
