import type { Command } from "commander";
import { type FailureGroup, groupFailures } from "../status/group-failures.js";
import { count, plural, shorten, wrap } from "../wording.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { sinceSeconds } from "./since.js";
import { createPaint, type Paint } from "./terminal.js";
import { withLockTimeout } from "./with-lock-timeout.js";

export function addErrors(program: Command): void {
  program
    .command("errors")
    .description("failed attempts of all hosts, grouped by their kind, and what to do about each")
    .option("--since <time>", "30m, 12h, 7d (default: 1d)", sinceSeconds)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
A kind is a class, and a message without its numbers and hashes. Failures are kept up to queue.failures_kept; of
those the newest 100,000 are read.

Exit code 0: none of these blocks is failed at the moment. 1: some are.

Examples:
  blockmill errors -c mainnet.json
  blockmill errors --since 7d --json | jq '.[] | [.count, .fingerprint]'`,
    )
    .action(run(errors));
}

const defaultSince = 86_400;
const groupsShown = 20;

async function errors(
  session: Session,
  { since = defaultSince, json = false }: { since?: number; json?: boolean },
): Promise<number> {
  const groups = await withDatabase(session, (pool) =>
    withLockTimeout(pool, () => groupFailures(pool, { withinSeconds: since })),
  );
  const clean = groups.map((group) => ({
    ...group,
    message: session.redact(group.message),
    fingerprint: session.redact(group.fingerprint),
  }));
  process.stdout.write(
    json ? `${JSON.stringify(clean, null, 2)}\n` : formatErrors(clean, createPaint(process.stdout)),
  );
  return clean.some(({ stillFailed }) => stillFailed > 0) ? exitCodes.blocksFailed : exitCodes.done;
}

const columns = 100;

/** For people, within 100 columns. */
export function formatErrors(groups: readonly FailureGroup[], paint: Paint): string {
  if (groups.length === 0) return "No attempt failed.\n";
  const shown = groups.slice(0, groupsShown).map((group) => formatGroup(group, paint));
  const more = groups.length - groupsShown;
  return shown.join("\n") + (more > 0 ? `\nand ${plural(more, "more kind")}: see --json\n` : "");
}

function formatGroup(group: FailureGroup, paint: Paint): string {
  const at = (time: Date): string => time.toISOString().replace("T", " ").slice(0, 19);
  const still = group.stillFailed === 0 ? "" : `; ${plural(group.stillFailed, "job")} failed at the moment`;
  const when = group.count === 1 ? at(group.lastAt) : `${at(group.firstAt)} to ${at(group.lastAt)}`;
  const whose = group.endpoints.length === 0 ? "" : `, at ${group.endpoints.slice(0, 3).join(", ")}`;
  const facts = `${when} UTC, newest block ${group.newestBlock}${whose}${still}`;
  return [
    `${paint("bold", `${count(group.count)} × ${group.class}`)}\n`,
    ...indent(facts, (line) => paint("dim", line)),
    ...indent(shorten(group.message, 300), (line) => line),
    ...indent(group.advice, (line) => paint("yellow", line)),
  ].join("");
}

function indent(text: string, dress: (line: string) => string): string[] {
  return wrap(text, columns - 2).map((line) => `  ${dress(line)}\n`);
}
