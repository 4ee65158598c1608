import type { Command } from "commander";
import type pg from "pg";
import { countAbsent } from "../queue/absent.js";
import { retryJobs } from "../queue/by-hand.js";
import {
  openOrContinueRange,
  type RangeProgress,
  readFailedJobs,
  readRangeProgress,
} from "../queue/range-progress.js";
import { count, plural, rate, shorten, span } from "../wording.js";
import { blockNumber, blockSpan, checkHead, priority, workers } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { watchRange } from "./range-watch.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { tellPause } from "./tell-pause.js";
import { workUntil } from "./work-until.js";

export function addRange(program: Command): void {
  program
    .command("range")
    .description("fetch the blocks FROM to TO, both included, and end")
    .argument("<from>", "the first block", blockNumber)
    .argument("[to]", "the last block, at most the chain's newest (default: the first)", blockNumber)
    .option("-w, --workers <n>", "worker processes (pipeline.workers)", workers)
    .option("-p, --priority <p>", "of its jobs: higher runs first, also for other daemons", priority, 0)
    .option("-f, --force", "fetch blocks again that are stored already")
    .addHelpText(
      "after",
      `
Runs workers of its own until every block of the range is stored, failed or cancelled. Blocks that are
stored already are skipped, and failed ones are tried again with fresh attempts; cancelled ones stay so. A
daemon that works on the same schema shares the work.
Ctrl-C: finish what is claimed, then end with exit code 130; the same command continues. A second one ends
at once.
A range of any length is one row of processing_ranges, which becomes jobs a window at a time
(queue.range_window). Progress goes to standard error, the summary to standard output.

Exit code 0: every block is stored, or the chain has none at its number. 1: some failed, see the summary and \`blockmill status\`. 130: interrupted.

Examples:
  blockmill range 1000000 1001000 -c mainnet.json
  blockmill range 0 20,000,000 --workers 16
  blockmill range 1000000 1000100 --force       after a fault of the node`,
    )
    .action(run(range));
}

interface RangeOptions {
  priority: number;
  force?: boolean;
}

async function range(session: Session, options: RangeOptions, from: number, last?: number): Promise<number> {
  const { to } = blockSpan(from, last);
  return withDatabase(session, async (pool) => {
    // Loading viem takes longer than most commands: only those that ask a node wait for it.
    const { checkSessions } = await import("./preflight.js");
    const { reachChain } = await import("./reach-chain.js");
    await checkSessions(session, pool);
    const { head } = await reachChain(session, pool);
    checkHead("TO", to, head);
    const { priority, force = false } = options;
    const { id, continued } = await openOrContinueRange(pool, { from, to, priority, force });
    const revived = await retryJobs(pool, { from, to }, { cancelled: false });
    const before = await readRangeProgress(pool, id);
    const absentBefore = await countAbsent(pool, { from, to });
    const storedBefore = before.stored - absentBefore;
    process.stderr.write(`${opening({ from, to, before, stored: storedBefore, continued, revived })}\n`);
    await tellPause(pool);
    const started = performance.now();
    const only = { from, to };
    const { workers } = session.config.pipeline;
    const { progress, finished } = await workUntil(session, { only, workers }, (signal) =>
      watchRange({ from, to, before, signal, read: () => readRangeProgress(pool, id) }),
    );
    // What was in hand when somebody asked for the end is stored by now.
    const after = finished ? progress : await readRangeProgress(pool, id);
    const seconds = (performance.now() - started) / 1_000;
    const absent = await countAbsent(pool, { from, to });
    const told = {
      ...{ from, to, after, seconds },
      stored: after.stored - absent - storedBefore,
      absent: absent - absentBefore,
    };
    process.stdout.write(session.redact(await summary(pool, told)));
    if (after.stored === to - from + 1) return exitCodes.done;
    return finished ? exitCodes.blocksFailed : exitCodes.interrupted;
  });
}

function opening(range: {
  from: number;
  to: number;
  before: RangeProgress;
  stored: number;
  continued: boolean;
  revived: number;
}): string {
  const { from, to, before, stored: there, continued, revived } = range;
  const verb = continued ? "continuing" : "fetching";
  const stored = there > 0 ? `; ${count(there)} ${there === 1 ? "is" : "are"} stored already` : "";
  const again = revived > 0 ? `; ${plural(revived, "failed block")} again` : "";
  const { cancelled } = before;
  const left = cancelled > 0 ? `; ${count(cancelled)} cancelled, which only blockmill retry runs again` : "";
  return `${verb} ${plural(to - from + 1, "block")}, ${from} to ${to}${stored}${again}${left}`;
}

const failuresShown = 5;

async function summary(
  pool: pg.Pool,
  range: {
    from: number;
    to: number;
    /** Since it began; and numbers that were found to have no block. */
    stored: number;
    absent: number;
    after: RangeProgress;
    seconds: number;
  },
): Promise<string> {
  const { from, to, stored, absent, after, seconds } = range;
  const { failed, cancelled } = after;
  const left = after.ahead + after.queued + after.scheduled;
  const lines = [
    `${plural(stored, "block")} stored in ${span(seconds)}, ${rate(stored / seconds)} blocks/s; ${count(failed)} failed` +
      (cancelled > 0 ? `, ${count(cancelled)} cancelled` : "") +
      (absent > 0 ? `, ${count(absent)} without a block on the chain` : "") +
      (left > 0 ? `, ${count(left)} not done` : "") +
      (left > 0 && !after.rangeCancelled
        ? `. The same command continues; blockmill cancel ${from} ${to} drops the rest.`
        : ""),
  ];
  if (failed > 0) {
    const jobs = await readFailedJobs(pool, { from, to, limit: failuresShown });
    lines.push(...jobs.map((job) => `  block ${job.blockNumber}: ${shorten(job.lastError ?? "", 200)}`));
    if (failed > jobs.length) lines.push(`  and ${count(failed - jobs.length)} more`);
  }
  if (cancelled > 0) lines.push(`Try again: blockmill retry ${from} ${to}, then the same command.`);
  else if (failed > 0) lines.push("Try again: the same command.");
  if (after.rangeCancelled) lines.push("The rest of the range was cancelled.");
  return `${lines.join("\n")}\n`;
}
