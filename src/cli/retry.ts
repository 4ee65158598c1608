import type { Command } from "commander";
import { UsageError } from "../errors.js";
import { retryJobs } from "../queue/by-hand.js";
import { plural } from "../wording.js";
import { blockNumber, blockSpan } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";

export function addRetry(program: Command): void {
  program
    .command("retry")
    .description("run failed and cancelled jobs again, with fresh attempts")
    .argument("[from]", "the first block", blockNumber)
    .argument("[to]", "the last block, included (default: the first)", blockNumber)
    .option("--all", "every failed and cancelled job")
    .addHelpText(
      "after",
      `
The jobs become pending, and a running daemon takes them at once.

Examples:
  blockmill retry --all -c mainnet.json
  blockmill retry 1000000
  blockmill retry 1000000 1001000`,
    )
    .action(run(retry));
}

async function retry(
  session: Session,
  { all = false }: { all?: boolean },
  from: number | undefined,
  to: number | undefined,
): Promise<number> {
  const range = whichBlocks({ all, from, to });
  const retried = await withDatabase(session, (pool) => retryJobs(pool, range));
  process.stdout.write(
    retried === 0
      ? "No failed or cancelled job is among these blocks.\n"
      : `${plural(retried, "job")} will run again.\n`,
  );
  return exitCodes.done;
}

function whichBlocks({
  all,
  from,
  to,
}: {
  all: boolean;
  from?: number | undefined;
  to?: number | undefined;
}) {
  if (all && from !== undefined) throw new UsageError("--all: expected no blocks beside it");
  if (all) return { from: 0, to: Number.MAX_SAFE_INTEGER };
  if (from === undefined) throw new UsageError("FROM: expected a block, or --all");
  return blockSpan(from, to);
}
