import type { Command } from "commander";
import type pg from "pg";
import { type ArchiveOptions, archiveJobs } from "../queue/archive.js";
import { prepareHistory } from "../queue/history.js";
import { sweepLostSupervisors, sweepOverdue, trimFailures } from "../queue/sweep.js";
import { plural } from "../wording.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";

export function addCleanup(program: Command): void {
  program
    .command("cleanup")
    .description("take stale claims back and archive completed jobs, once, by hand")
    .option("--all", "archive every completed job, also younger than queue.archive_minutes")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
A running daemon does all this by itself; this is for schemas that none works on, or for those who do
not want to wait. It is safe beside running daemons. Four steps:
  - the claims of hosts that are lost are released
  - the claims that are older than pipeline.timeout_minutes are released
  - all but the newest queue.failures_kept rows of processing_failures are deleted
  - jobs that completed more than queue.archive_minutes ago, and all but the newest
    queue.completed_kept, are folded into processing_coverage

Examples:
  blockmill cleanup -c mainnet.json
  blockmill cleanup --all --json`,
    )
    .action(run(cleanup));
}

async function cleanup(session: Session, { all, json }: { all?: boolean; json?: boolean }): Promise<number> {
  const { pipeline, queue } = session.config;
  const maxDeaths = pipeline.max_attempts;
  const done = await withDatabase(session, async (pool) => ({
    releasedFromLostHosts: (await sweepLostSupervisors(pool, { maxDeaths, thorough: true })).released.length,
    releasedOverdue: (await sweepOverdue(pool, { maxDeaths, timeoutMs: pipeline.timeout_minutes * 60_000 }))
      .length,
    failuresDeleted: await trimFailures(pool, queue.failures_kept),
    archived: await archiveAll(pool, {
      olderThanMs: all ? 0 : queue.archive_minutes * 60_000,
      kept: queue.completed_kept,
      keepHistory: queue.history_days > 0,
    }),
  }));
  process.stdout.write(json ? `${JSON.stringify(done, null, 2)}\n` : describe(done));
  return exitCodes.done;
}

/** Bites that never hold locks for long. */
const biteSize = 10_000;

async function archiveAll(pool: pg.Pool, options: Omit<ArchiveOptions, "limit">): Promise<number> {
  if (options.keepHistory) await prepareHistory(pool);
  let archived = 0;
  for (;;) {
    const bite = await archiveJobs(pool, { ...options, limit: biteSize });
    archived += bite;
    if (bite < biteSize) return archived;
  }
}

function describe(done: {
  releasedFromLostHosts: number;
  releasedOverdue: number;
  failuresDeleted: number;
  archived: number;
}): string {
  return [
    `Released ${plural(done.releasedFromLostHosts, "claim")} of lost hosts.`,
    `Released ${plural(done.releasedOverdue, "overdue claim")}.`,
    `Deleted ${plural(done.failuresDeleted, "old failure")}.`,
    `Archived ${plural(done.archived, "completed job")}.`,
    "",
  ].join("\n");
}
