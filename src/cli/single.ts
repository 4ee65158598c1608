import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type pg from "pg";
import { dispositionOf } from "../errors.js";
import { enqueueBlocks } from "../queue/enqueue.js";
import { isOpen } from "../queue/job-status.js";
import { type JobState, readJob } from "../queue/read-job.js";
import { readStoredBlock } from "../store/read-stored-block.js";
import { plural } from "../wording.js";
import { blockNumber, checkHead } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { formatBlock } from "./single-block.js";
import { tellPause } from "./tell-pause.js";
import { createPaint } from "./terminal.js";
import { workUntil } from "./work-until.js";

export function addSingle(program: Command): void {
  program
    .command("single")
    .description("fetch one block now, also if it is stored already, and print what was stored")
    .argument("<n>", "the block, at most the chain's newest", blockNumber)
    .option("--json", "print JSON: the header, the rows per table, the job's result")
    .addHelpText(
      "after",
      `
Enqueues the block ahead of everything else and runs one worker for it. A daemon beside it may take the
job first; then its end is waited for. Nothing else is touched.

Exit code 0: it is stored. 1: it failed; the error is on standard error. 130: interrupted before either.

Examples:
  blockmill single 1000000 -c mainnet.json
  blockmill single 1000000 --json | jq .header.hash`,
    )
    .action(run(single));
}

const highestPriority = 2_147_483_647;
const pollMs = 50;

async function single(session: Session, options: { json?: boolean }, block: number): Promise<number> {
  return withDatabase(session, async (pool) => {
    // Loading viem takes longer than most commands: only those that ask a node wait for it.
    const { checkSessions } = await import("./preflight.js");
    const { reachChain } = await import("./reach-chain.js");
    await checkSessions(session, pool);
    const { head } = await reachChain(session, pool);
    checkHead("N", block, head);
    await enqueueBlocks(pool, [block], { priority: highestPriority, force: true });
    await tellPause(pool);
    const only = { from: block, to: block };
    await workUntil(session, { only, workers: 1 }, (signal) =>
      untilSettled(pool, { block, signal, onWait: (reason) => tellWait(session, block, reason) }),
    );
    const job = await readJob(pool, block);
    if (job.status !== "completed" && job.status !== "archived") {
      process.stderr.write(`blockmill: ${session.redact(complaint(block, job))}\n`);
      return isOpen(job.status) ? exitCodes.interrupted : exitCodes.blocksFailed;
    }
    const stored = await readStoredBlock(pool, block);
    if (stored === null) {
      process.stderr.write(`blockmill: block ${block}: its job is completed, but its row was deleted\n`);
      return exitCodes.blocksFailed;
    }
    const text = options.json
      ? `${JSON.stringify({ ...stored, job: { attempts: job.attempts, result: job.result } }, null, 2)}\n`
      : formatBlock(stored, job, createPaint(process.stdout));
    process.stdout.write(text);
    return exitCodes.done;
  });
}

function tellWait({ redact }: Session, block: number, reason: string): void {
  process.stderr.write(`${redact(`block ${block}: ${reason}`)}\n`);
}

/**
 * Resolves when the job is no longer open, or `signal` aborts. A database that is down is waited for. `onWait` is told
 * once why the job waits, if it does.
 */
async function untilSettled(
  pool: pg.Pool,
  { block, signal, onWait }: { block: number; signal: AbortSignal; onWait: (reason: string) => void },
): Promise<void> {
  let hasTold = false;
  while (!signal.aborted) {
    try {
      const { status, absences, lastError } = await readJob(pool, block);
      if (!isOpen(status)) return;
      if (status === "scheduled" && absences > 0 && lastError !== null && !hasTold) {
        onWait(lastError);
        hasTold = true;
      }
    } catch (error) {
      if (dispositionOf(error) !== "wait") throw error;
    }
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}

function complaint(block: number, { status, attempts, lastError }: JobState): string {
  switch (status) {
    case "failed":
      return `block ${block} failed after ${plural(attempts, "attempt")}: ${lastError}`;
    case "cancelled":
      return `block ${block} was cancelled by somebody`;
    case "gone":
      return `block ${block}: its job was deleted by somebody`;
    default:
      return `block ${block} is not stored yet (its job is ${status}): a daemon will go on with it, or the same command`;
  }
}
