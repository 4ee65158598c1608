import type { Command } from "commander";
import { cancelJobs, forgetHalted } from "../queue/by-hand.js";
import { plural } from "../wording.js";
import { blockNumber, blockSpan } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";

export function addCancel(program: Command): void {
  program
    .command("cancel")
    .description("cancel the unfinished jobs of FROM to TO, and the open ranges within")
    .argument("<from>", "the first block", blockNumber)
    .argument("[to]", "the last block, included (default: the first)", blockNumber)
    .option("--forget", "delete their failed and cancelled jobs too, and those that this cancels")
    .addHelpText(
      "after",
      `
What is stored stays. A job that is being processed loses its claim: what its worker fetched is not
stored. Cancelled jobs stay in processing_jobs, until blockmill retry runs them, or --forget deletes them.

Examples:
  blockmill cancel 1000000 -c mainnet.json
  blockmill cancel 0 20000000
  blockmill cancel 1000000 1001000 --forget     as if they had never been asked for`,
    )
    .action(run(cancel));
}

async function cancel(
  session: Session,
  { forget = false }: { forget?: boolean },
  from: number,
  last: number | undefined,
): Promise<number> {
  const blocks = blockSpan(from, last);
  const { jobs, ranges, forgotten } = await withDatabase(session, async (pool) => ({
    ...(await cancelJobs(pool, blocks)),
    forgotten: forget ? await forgetHalted(pool, blocks) : null,
  }));
  const rest = ranges > 0 ? `, and the rest of ${plural(ranges, "open range")}` : "";
  const gone = forgotten === null ? "" : ` Deleted ${plural(forgotten, "failed or cancelled job")}.`;
  process.stdout.write(`Cancelled ${plural(jobs, "job")}${rest}.${gone}\n`);
  return exitCodes.done;
}
