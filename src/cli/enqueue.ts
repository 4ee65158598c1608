import type { Command } from "commander";
import type pg from "pg";
import { enqueueSeries } from "../queue/enqueue.js";
import { readHead } from "../queue/head.js";
import { openRange } from "../queue/ranges.js";
import { count, plural } from "../wording.js";
import { blockNumber, blockSpan, priority } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";

export function addEnqueue(program: Command): void {
  program
    .command("enqueue")
    .description("leave blocks for the daemons to fetch, and return at once")
    .argument("<from>", "the first block", blockNumber)
    .argument("[to]", "the last block, included (default: the first)", blockNumber)
    .option("-p, --priority <p>", "higher runs first", priority, 0)
    .option("-f, --force", "also blocks that are stored, failed or cancelled")
    .addHelpText(
      "after",
      `
Up to ${count(maxJobs)} blocks become jobs at once. More become one row of processing_ranges, which the
orchestrator turns into jobs a window at a time (queue.range_window). Blocks that have a job, or are
stored, are left as they are, unless --force is given.
The same from psql: INSERT INTO processing_jobs (block_number) VALUES (1000000);

Examples:
  blockmill enqueue 1000000
  blockmill enqueue 1000000 1001000 --priority 10
  blockmill enqueue 0 20000000`,
    )
    .action(run(enqueue));
}

/** More than these become a range. */
const maxJobs = 10_000;

interface EnqueueOptions {
  priority: number;
  force?: boolean;
}

async function enqueue(
  session: Session,
  { priority, force = false }: EnqueueOptions,
  from: number,
  last: number | undefined,
): Promise<number> {
  const { to } = blockSpan(from, last);
  const request = { from, to, priority, force };
  const blocks = to - from + 1;
  await withDatabase(session, async (pool) => {
    if (blocks > maxJobs) {
      const id = await openRange(pool, request);
      process.stdout.write(
        `Opened range ${id}: ${plural(blocks, "block")} that the orchestrator turns into jobs a window at a time.\n`,
      );
    } else {
      const enqueued = await enqueueSeries(pool, request);
      const left = blocks - enqueued;
      const why = force
        ? `${left === 1 ? "is" : "are"} being processed`
        : `had a job or ${left === 1 ? "was" : "were"} stored already (--force runs ${left === 1 ? "it" : "them"} again)`;
      process.stdout.write(
        `Enqueued ${plural(enqueued, "block")}${left === 0 ? "" : `; ${count(left)} ${why}`}.\n`,
      );
    }
    await warnBeyondHead(pool, to);
  });
  return exitCodes.done;
}

/** Blocks that do not exist yet wait, perhaps for ever: a number that was mistyped should be noticed. */
async function warnBeyondHead(pool: pg.Pool, to: number): Promise<void> {
  const head = (await readHead(pool))?.headNumber;
  if (head === undefined || to <= head) return;
  process.stderr.write(
    `Note: the newest block that was seen is ${head}. Jobs beyond it wait until the chain gets there.\n`,
  );
}
