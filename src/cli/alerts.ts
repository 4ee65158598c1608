import type { Command } from "commander";
import { historySeconds, readAlertHistory } from "../queue/alerts.js";
import { span, wrap } from "../wording.js";
import { wholeNumber } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { sinceSeconds } from "./since.js";
import { createPaint, type Paint } from "./terminal.js";
import { withLockTimeout } from "./with-lock-timeout.js";

export function addAlerts(program: Command): void {
  program
    .command("alerts")
    .description("what is wrong at the moment and what to do, and what was")
    .option("--history", "also those that are over, the newest first")
    .option("--since <time>", "of the history: 90m, 12h, 7d (default: 7d)", sinceSeconds)
    .option("--limit <n>", "of the history: at most so many", wholeNumber({ min: 1, max: 100_000 }))
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
The leading daemon raises and clears them. docs/TROUBLESHOOTING.md has a heading for each kind; alerts.rules
changes or silences one; alerts.webhook and alerts.command tell others (docs/OPERATIONS.md).

Exit code 0: none is open. 1: some are. For a monitoring system: blockmill status --check.

Examples:
  blockmill alerts -c mainnet.json
  blockmill alerts --history --since 24h
  blockmill alerts --json | jq '.[].kind'`,
    )
    .action(run(alerts));
}

interface AlertsOptions {
  history?: boolean;
  since?: number;
  limit?: number;
  json?: boolean;
}

const defaultLimit = 100;

async function alerts(session: Session, options: AlertsOptions): Promise<number> {
  const { history = false, since, limit = defaultLimit, json = false } = options;
  const all = history || since !== undefined || options.limit !== undefined;
  const found = await withDatabase(session, (pool) =>
    withLockTimeout(pool, () =>
      readAlertHistory(pool, { withinSeconds: all ? (since ?? historySeconds) : 0, limit }),
    ),
  );
  const shown = found
    .filter(({ clearedAt }) => all || clearedAt === null)
    .map((alert) => ({ ...alert, message: session.redact(alert.message) }));
  process.stdout.write(
    json ? `${JSON.stringify(shown, null, 2)}\n` : formatAlerts(shown, createPaint(process.stdout)),
  );
  return shown.some(({ clearedAt }) => clearedAt === null) ? exitCodes.blocksFailed : exitCodes.done;
}

type Shown = Awaited<ReturnType<typeof readAlertHistory>>[number];

const columns = 100;

/** For people, within 100 columns. */
export function formatAlerts(alerts: readonly Shown[], paint: Paint): string {
  if (alerts.length === 0) return "No alert.\n";
  return alerts.map((alert) => formatAlert(alert, paint)).join("");
}

function formatAlert(
  { kind, priority, message, ageSeconds, raisedAt, clearedAt }: Shown,
  paint: Paint,
): string {
  const isOpen = clearedAt === null;
  const style = !isOpen ? "dim" : priority === "err" ? "red" : "yellow";
  const at = raisedAt.toISOString().replace("T", " ").slice(0, 19);
  const lasted = isOpen ? ageSeconds : (clearedAt.getTime() - raisedAt.getTime()) / 1_000;
  const when = isOpen ? `since ${at} UTC, for ${span(lasted)}` : `${at} UTC, over after ${span(lasted)}`;
  const lines = wrap(message, columns - 2).map((line) => `  ${line}\n`);
  return `${paint(style, `${kind} (${priority})`)}  ${paint("dim", when)}\n${lines.join("")}`;
}
