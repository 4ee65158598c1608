import type { Command } from "commander";
import type pg from "pg";
import { UsageError } from "../errors.js";
import { readBlockRuns } from "../queue/read-block-state.js";
import { redactTexts } from "../redact.js";
import { tellWhy } from "../status/tell-why.js";
import { type BlockState, whyBlock } from "../status/why-block.js";
import { count, wrap } from "../wording.js";
import { blockNumber, blockSpan } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { createPaint } from "./terminal.js";
import { withLockTimeout } from "./with-lock-timeout.js";

export function addWhy(program: Command): void {
  program
    .command("why")
    .description("why a block is where it is, and what to do")
    .argument("<from>", "the block, or the first of several", blockNumber)
    .argument("[to]", "the last block, included (default: the first)", blockNumber)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Of several blocks each run of one kind is told by its first block. At most 1,000,000 blocks at once.

Exit code 0: all of them are stored, or the chain has no block there. 1: some are not.

Examples:
  blockmill why 21000000 -c mainnet.json
  blockmill why 21000000 21000500
  blockmill why 21000000 --json | jq -r '.[0].state'`,
    )
    .action(run(why));
}

const mostBlocks = 1_000_000;
const mostRuns = 100;

/** A run of blocks of one kind, and why its first one is where it is. */
type Told = BlockState & { from: number; to: number };

async function why(
  session: Session,
  { json = false }: { json?: boolean },
  from: number,
  to: number | undefined,
): Promise<number> {
  const span = blockSpan(from, to);
  if (span.to - span.from >= mostBlocks)
    throw new UsageError(
      `FROM TO: expected at most ${count(mostBlocks)} blocks; blockmill gaps tells what is missing of more`,
    );
  const found = await withDatabase(session, (pool) => withLockTimeout(pool, () => readWhy(pool, span)));
  const states = redactTexts(found, session.redact);
  process.stdout.write(json ? `${JSON.stringify(states, null, 2)}\n` : format(states));
  return states.every(isDone) ? exitCodes.done : exitCodes.blocksFailed;
}

/** Whether nothing is left to be done for it. */
function isDone({ state }: BlockState): boolean {
  return state === "stored" || state === "archived" || state === "absent";
}

async function readWhy(pool: pg.Pool, span: { from: number; to: number }): Promise<Told[]> {
  const runs = span.from === span.to ? [span] : await readBlockRuns(pool, { ...span, limit: mostRuns });
  const told: Told[] = [];
  for (const { from, to } of runs) told.push({ from, to, ...(await whyBlock(pool, from)) });
  return told;
}

const columns = 100;

function format(states: readonly Told[]): string {
  const paint = createPaint(process.stdout);
  const lines = states.map((is) => {
    const blocks =
      is.from === is.to
        ? `block ${is.from}`
        : `blocks ${is.from} to ${is.to} (${count(is.to - is.from + 1)})`;
    const of = is.from === is.to ? "" : `; block ${is.from}:`;
    const style = isDone(is) ? "green" : is.state === "failed" ? "red" : "yellow";
    const text = wrap(tellWhy(is.from, is), columns - 2).map((line) => `  ${line}\n`);
    return `${paint("bold", blocks)}: ${paint(style, is.state)}${of}\n${text.join("")}`;
  });
  const more = states.length === mostRuns ? "and more: ask for fewer blocks\n" : "";
  return lines.join("") + more;
}
