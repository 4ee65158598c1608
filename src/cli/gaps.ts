import type { Command } from "commander";
import type pg from "pg";
import type { BlockSpan } from "../block.js";
import { retryJobs } from "../queue/by-hand.js";
import { enqueueSeries } from "../queue/enqueue.js";
import { countJobsInGaps, findGaps, storedSpan } from "../queue/gaps.js";
import { readHead } from "../queue/head.js";
import { openRange } from "../queue/ranges.js";
import type { BoundedCount } from "../queue/read-depth.js";
import { blockEnds } from "../store/stored-numbers.js";
import { count, plural } from "../wording.js";
import { blockNumber, checkOrder } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { createPaint, formatTable } from "./terminal.js";

export function addGaps(program: Command): void {
  program
    .command("gaps")
    .description("which blocks are not stored")
    .argument("[from]", "the first block (default: the lowest stored one, or chain.start_block)", blockNumber)
    .argument(
      "[to]",
      "the last block, included (default: the first; without FROM the newest that was seen)",
      blockNumber,
    )
    .option("--enqueue", "leave them for the daemons to fetch")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Asks the queue, and the chain's tables only for their lowest and highest block: it answers at once, at 20
million blocks too. Completed jobs that are not archived are read one by one, which takes seconds a million: with the
archive off (queue.archive_minutes and queue.completed_kept at their most) it is slow. Whether what the queue calls stored is there, and is right, only blockmill verify tells. --json lists the first 10,000 gaps;
"count" and "missing" are of all. Jobs are counted up to a bound, which >= and "atLeast" tell.
--enqueue makes jobs of small gaps, and ranges of large ones, and runs failed jobs again with fresh attempts.
Jobs that wait or run go on as they are. Cancelled ones stay so, until blockmill retry runs them.

Exit code 0: there are none, or they were enqueued. 1: there are.

Examples:
  blockmill gaps -c mainnet.json
  blockmill gaps 0 20000000 --json | jq .missing
  blockmill gaps --enqueue`,
    )
    .action(run(gaps));
}

/** Gaps that are read at once, and that --json prints. */
const gapsRead = 10_000;
const gapsShown = 30;

interface GapsOptions {
  enqueue?: boolean;
  json?: boolean;
}

async function gaps(
  session: Session,
  { enqueue = false, json = false }: GapsOptions,
  from: number | undefined,
  to: number | undefined,
): Promise<number> {
  const found = await withDatabase(session, async (pool) => {
    const span = await spanOf(session, pool, { from, to });
    if (span === null) return null;
    const { gaps: first, total, blocks } = await findGaps(pool, { ...span, limit: gapsRead });
    const jobs = total === 0 ? {} : await countJobsInGaps(pool, span);
    const enqueued = enqueue && total > 0 ? await enqueueGaps(pool, span) : null;
    return { ...span, missing: blocks, count: total, jobs, enqueued, gaps: first };
  });
  const text = json ? `${JSON.stringify(found ?? { gaps: [] }, null, 2)}\n` : describe(found);
  process.stdout.write(text);
  return found === null || found.gaps.length === 0 || enqueue ? exitCodes.done : exitCodes.blocksFailed;
}

/** Null: nothing is stored, and nobody said what ought to be. */
async function spanOf(
  { config }: Session,
  pool: pg.Pool,
  asked: { from: number | undefined; to: number | undefined },
): Promise<BlockSpan | null> {
  const ends = asked.from === undefined ? [await storedSpan(pool), await blockEnds(pool)] : [];
  const known = ends.filter((span) => span !== null);
  const lowest = [...known.map(({ from }) => from), config.chain.start_block].filter(
    (block) => typeof block === "number",
  );
  const from = asked.from ?? (lowest.length > 0 ? Math.min(...lowest) : undefined);
  const highest = known.length > 0 ? Math.max(...known.map(({ to }) => to)) : undefined;
  const to = asked.to ?? asked.from ?? (await readHead(pool))?.headNumber ?? highest;
  if (from === undefined || to === undefined) return null;
  if (asked.from !== undefined) checkOrder(from, to);
  return from > to ? null : { from, to };
}

/** A gap of more blocks than this becomes a range. */
const maxJobsOfGap = 1_000;
/** Once there are so many jobs or ranges, one range goes for the rest: it passes over what is stored by itself. */
const maxJobs = 100_000;
const maxRanges = 1_000;

interface Enqueued {
  jobs: number;
  ranges: number;
  /** Failed jobs that run again. */
  revived: number;
}

async function enqueueGaps(pool: pg.Pool, { from, to }: BlockSpan): Promise<Enqueued> {
  const revived = await retryJobs(pool, { from, to }, { cancelled: false });
  const made = { jobs: 0, ranges: 0, revived };
  for (let next = from; next <= to; ) {
    const { gaps: page } = await findGaps(pool, { from: next, to, limit: gapsRead });
    for (const gap of page) {
      if (made.jobs >= maxJobs || made.ranges >= maxRanges) {
        await openRange(pool, { from: gap.from, to });
        return { ...made, ranges: made.ranges + 1 };
      }
      if (gap.to - gap.from < maxJobsOfGap) made.jobs += await enqueueSeries(pool, gap);
      else {
        await openRange(pool, gap);
        made.ranges += 1;
      }
    }
    next = page.length < gapsRead ? to + 1 : (page.at(-1)?.to ?? to) + 1;
  }
  return made;
}

function again({ revived }: Enqueued): string {
  return revived === 0 ? "" : ` ${plural(revived, "failed job")} will run again.`;
}

interface Found extends BlockSpan {
  /** Blocks, and the gaps that they are in. */
  missing: number;
  count: number;
  jobs: Record<string, BoundedCount>;
  enqueued: Enqueued | null;
  /** The first ones. */
  gaps: BlockSpan[];
}

function describe(found: Found | null): string {
  if (found === null) return "Nothing is stored yet.\n";
  const { from, to, missing, count: total, jobs, enqueued } = found;
  if (total === 0) return `No gap: all blocks from ${from} to ${to} are stored.\n`;
  const rows = found.gaps
    .slice(0, gapsShown)
    .map((gap) => [
      String(gap.from),
      gap.to === gap.from ? "" : `to ${gap.to}`,
      count(gap.to - gap.from + 1),
    ]);
  const table = formatTable(
    [{ head: "from", align: "right" }, { head: "" }, { head: "blocks", align: "right" }],
    rows,
    createPaint(process.stdout),
  );
  const withJobs = Object.entries(jobs).map(
    ([status, { count: number, atLeast }]) => `${atLeast ? ">= " : ""}${count(number)} ${status}`,
  );
  const lines = [
    ...(total > gapsShown ? [`  and ${count(total - gapsShown)} more: see --json`] : []),
    `${plural(total, "gap")}: ${plural(missing, "block")} of ${from} to ${to} ${missing === 1 ? "is" : "are"} not stored.`,
    ...(withJobs.length > 0 ? [`Jobs of these: ${withJobs.join(", ")}.`] : []),
    enqueued === null
      ? "Fetch them: the same command with --enqueue"
      : `Enqueued ${plural(enqueued.jobs, "job")} and ${plural(enqueued.ranges, "range")}.${again(enqueued)}`,
  ];
  return `${table}${lines.join("\n")}\n`;
}
