import type { Command } from "commander";
import { applySchema, schemaVersion } from "../db/schema.js";
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

Examples:
  blockmill init -c mainnet.json
  blockmill init --set database.schema=sepolia`,
    )
    .action(run(init));
}

async function init(session: Session): Promise<number> {
  const { schema } = session.config.database;
  const { before } = await withDatabase(session, (pool) => applySchema(pool, schema), { needsSchema: false });
  process.stdout.write(
    before === schemaVersion
      ? `The schema "${schema}" is there already, at version ${schemaVersion}.\n`
      : `The schema "${schema}" is ready, at version ${schemaVersion}.\n`,
  );
  return exitCodes.done;
}
