import type { Command } from "commander";
import type pg from "pg";
import { readDepth } from "../queue/read-depth.js";
import { readHeadStatus, readLatestFailures, readOpenRanges, readWorkers } from "../queue/read-status.js";
import { readNewestBlock } from "../store/newest-block.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { formatStatus } from "./status-report.js";
import { createPaint } from "./terminal.js";

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

const workersRead = 500;
const rangesShown = 10;
const failuresShown = 5;

export type Status = Awaited<ReturnType<typeof readStatus>>;

async function status(session: Session, { json }: { json?: boolean }): Promise<number> {
  const now = await withDatabase(session, (pool) => readStatus(session, pool));
  process.stdout.write(
    json ? `${JSON.stringify(now, null, 2)}\n` : formatStatus(now, createPaint(process.stdout)),
  );
  return exitCodes.done;
}

async function readStatus({ config, redact }: Session, pool: pg.Pool) {
  const { jobs, stored, completedInLastMinute } = await readDepth(pool);
  const head = await readHeadStatus(pool);
  const newest = await readNewestBlock(pool);
  const ranges = await readOpenRanges(pool, rangesShown);
  const workers = await readWorkers(pool, workersRead);
  const failures = await readLatestFailures(pool, failuresShown);
  return {
    schema: config.database.schema,
    jobs,
    stored,
    newestBlock: newest?.number ?? null,
    head,
    lagBlocks: head === null || newest === null ? null : Math.max(0, head.headNumber - newest.number),
    blocksPerSecond: completedInLastMinute.count / 60,
    ranges,
    leader: workers.find(({ state, lives }) => lives && state === "leading")?.workerId ?? null,
    workers: workers.map(({ doing, ...worker }) => ({ ...worker, doing: redactReason(doing, redact) })),
    failures: failures.map((failure) => ({ ...failure, message: redact(failure.message) })),
  };
}

function redactReason(doing: Record<string, unknown>, redact: (text: string) => string) {
  return typeof doing.reason === "string" ? { ...doing, reason: redact(doing.reason) } : doing;
}
