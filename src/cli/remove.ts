import type { Command } from "commander";
import { dependents } from "../pipeline/dependents.js";
import { removeStored } from "../pipeline/remove-stored.js";
import { plural } from "../wording.js";
import { blockNumber, blockSpan } from "./arguments.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";

export function addRemove(program: Command): void {
  program
    .command("remove")
    .description("remove the stored blocks of FROM to TO")
    .argument("<from>", "the first block", blockNumber)
    .argument("[to]", "the last block, included (default: the first)", blockNumber)
    .addHelpText(
      "after",
      `
Their rows go from every table, and the queue no longer says that they are stored: they are gaps, and are
fetched again only when somebody asks for them. Jobs that are not completed stay, and go on. It works from the
last block down, 64 blocks to a transaction, and is safe beside running daemons.

Examples:
  blockmill remove 0 999999 -c mainnet.json
  blockmill remove 1000000`,
    )
    .action(run(remove));
}

async function remove(session: Session, _options: object, from: number, to?: number): Promise<number> {
  const blocks = blockSpan(from, to);
  const removed = await withDatabase(session, (pool) => removeStored({ pool, dependents }, blocks));
  process.stdout.write(
    removed === 0 ? "None of these blocks is stored.\n" : `Removed ${plural(removed, "block")}.\n`,
  );
  return exitCodes.done;
}
