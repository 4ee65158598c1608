import type { Command } from "commander";
import type pg from "pg";
import type { BlockSpan } from "../block.js";
import { retryJobs } from "../queue/by-hand.js";
import { enqueueSeries } from "../queue/enqueue.js";
import { countJobsInGaps, findGaps, storedSpan } from "../queue/gaps.js";
import { readHead } from "../queue/head.js";
import { openRange } from "../queue/ranges.js";
import { blockNumber, checkOrder } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { createPaint, formatTable } from "./terminal.js";
import { count, plural } from "./wording.js";

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
Asks the queue alone, never the chain's tables: it answers at once, at 20 million blocks too. Whether what
the queue calls stored is there, and is right, only blockmill verify tells.
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

/** Gaps that are read at once. */
const pageSize = 10_000;
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
    const all = await findAllGaps(pool, span);
    const jobs = all.length === 0 ? {} : await countJobsInGaps(pool, span);
    const enqueued = enqueue && all.length > 0 ? await enqueueGaps(pool, all, span) : null;
    return { ...span, missing: blocksOf(all), jobs, enqueued, gaps: all };
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
  const stored = await storedSpan(pool);
  const lowest = [stored?.from, config.chain.start_block].filter((block) => typeof block === "number");
  const from = asked.from ?? (lowest.length > 0 ? Math.min(...lowest) : undefined);
  const to = asked.to ?? asked.from ?? (await readHead(pool))?.headNumber ?? stored?.to;
  if (from === undefined || to === undefined) return null;
  if (asked.from !== undefined) checkOrder(from, to);
  return from > to ? null : { from, to };
}

async function findAllGaps(pool: pg.Pool, { from, to }: BlockSpan): Promise<BlockSpan[]> {
  const found: BlockSpan[] = [];
  for (let next = from; next <= to; ) {
    const page = await findGaps(pool, { from: next, to, limit: pageSize });
    found.push(...page);
    if (page.length < pageSize) break;
    next = (page.at(-1)?.to ?? to) + 1;
  }
  return found;
}

/** A gap of more blocks than this becomes a range. */
const maxJobsOfGap = 1_000;
/** Once there are so many jobs, one range goes for the rest: it passes over what is stored by itself. */
const maxJobs = 100_000;

interface Enqueued {
  jobs: number;
  ranges: number;
  /** Failed jobs that run again. */
  revived: number;
}

async function enqueueGaps(
  pool: pg.Pool,
  all: readonly BlockSpan[],
  { from, to: last }: BlockSpan,
): Promise<Enqueued> {
  const revived = await retryJobs(pool, { from, to: last }, { cancelled: false });
  const made = { jobs: 0, ranges: 0, revived };
  for (const gap of all) {
    if (made.jobs >= maxJobs) {
      await openRange(pool, { from: gap.from, to: last });
      made.ranges += 1;
      break;
    }
    if (gap.to - gap.from < maxJobsOfGap) made.jobs += await enqueueSeries(pool, gap);
    else {
      await openRange(pool, gap);
      made.ranges += 1;
    }
  }
  return made;
}

function blocksOf(all: readonly BlockSpan[]): number {
  return all.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

function again({ revived }: Enqueued): string {
  return revived === 0 ? "" : ` ${plural(revived, "failed job")} will run again.`;
}

interface Found extends BlockSpan {
  missing: number;
  jobs: Record<string, number>;
  enqueued: Enqueued | null;
  gaps: BlockSpan[];
}

function describe(found: Found | null): string {
  if (found === null) return "Nothing is stored yet.\n";
  const { from, to, missing, jobs, enqueued, gaps: all } = found;
  if (all.length === 0) return `No gap: all blocks from ${from} to ${to} are stored.\n`;
  const rows = all
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
  const withJobs = Object.entries(jobs).map(([status, number]) => `${count(number)} ${status}`);
  const lines = [
    ...(all.length > gapsShown ? [`  and ${count(all.length - gapsShown)} more: see --json`] : []),
    `${plural(all.length, "gap")}: ${plural(missing, "block")} of ${from} to ${to} ${missing === 1 ? "is" : "are"} not stored.`,
    ...(withJobs.length > 0 ? [`Jobs of these: ${withJobs.join(", ")}.`] : []),
    enqueued === null
      ? "Fetch them: the same command with --enqueue"
      : `Enqueued ${plural(enqueued.jobs, "job")} and ${plural(enqueued.ranges, "range")}.${again(enqueued)}`,
  ];
  return `${table}${lines.join("\n")}\n`;
}
