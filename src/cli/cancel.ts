import type { Command } from "commander";
import { cancelJobs } from "../queue/by-hand.js";
import { blockNumber, checkOrder } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { plural } from "./wording.js";

export function addCancel(program: Command): void {
  program
    .command("cancel")
    .description("cancel the unfinished jobs of FROM to TO, and the open ranges within")
    .argument("<from>", "the first block", blockNumber)
    .argument("<to>", "the last block, included", blockNumber)
    .addHelpText(
      "after",
      `
What is stored stays. A job that is being processed loses its claim: what its worker fetched is not
stored. Cancelled jobs stay in processing_jobs, until blockmill retry runs them.

Examples:
  blockmill cancel 1000000 1000000 -c mainnet.json
  blockmill cancel 0 20000000`,
    )
    .action(run(cancel));
}

async function cancel(session: Session, _options: object, from: number, to: number): Promise<number> {
  checkOrder(from, to);
  const { jobs, ranges } = await withDatabase(session, (pool) => cancelJobs(pool, { from, to }));
  process.stdout.write(
    `Cancelled ${plural(jobs, "job")}${ranges > 0 ? `, and the rest of ${plural(ranges, "open range")}` : ""}.\n`,
  );
  return exitCodes.done;
}
