import type { Command } from "commander";
import { applySchema, schemaVersion } from "../db/schema.js";
import { plural } from "../wording.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";

export function addInit(program: Command): void {
  program
    .command("init")
    .description("create the tables of the schema; safe to run again")
    .addHelpText(
      "after",
      `
Creates the schema that database.schema names (default: public) and everything in it, exactly what
schema.sql holds: \`psql -f schema.sql\` does the same. What is there stays as it is. A schema that a
newer blockmill made is refused.

With database.partition_blocks the chain's tables are partitioned by block number. That is chosen here,
once: tables that are there are never made over.

Examples:
  blockmill init -c mainnet.json
  blockmill init --set database.schema=sepolia
  blockmill init --set database.partition_blocks=500000`,
    )
    .action(run(init));
}

async function init(session: Session): Promise<number> {
  const { schema } = session.config.database;
  // Left out, it asks for nothing: an init after an upgrade need not repeat what the first one chose.
  const isSet = session.loaded.sources.get("database.partition_blocks") !== "default";
  const wanted = isSet ? session.config.database.partition_blocks : null;
  const { before, partitionBlocks } = await withDatabase(
    session,
    (pool) => applySchema(pool, schema, undefined, wanted),
    { needsSchema: false },
  );
  const state = before === schemaVersion ? "is there already" : "is ready";
  const partitions = partitionBlocks === 0 ? "" : `, in partitions of ${plural(partitionBlocks, "block")}`;
  process.stdout.write(`The schema "${schema}" ${state}, at version ${schemaVersion}${partitions}.\n`);
  return exitCodes.done;
}
