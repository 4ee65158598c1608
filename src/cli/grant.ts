import type { Command } from "commander";
import { grantPrivilege, type Privilege } from "../db/grants.js";
import { inTransaction } from "../db/pool.js";
import { UsageError } from "../errors.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";

export function addGrant(program: Command): void {
  program
    .command("grant")
    .description("give PostgreSQL roles the least that they need of this schema")
    .option("--worker <role>", "what a daemon connects as: works on jobs, cannot change the schema")
    .option(
      "--injector <role>",
      "may insert jobs (block_number, priority, run_at, metadata), and nothing else",
    )
    .option("--reader <role>", "may read everything, and change nothing")
    .option("--consumer <role>", "may read the chain's rows, and follow the feed by readers of its own")
    .addHelpText(
      "after",
      `
Run it as the schema's owner, again after each \`blockmill init\` that changed the schema. The roles must
exist. What they had of this schema before is taken away first.

Example:
  psql -c "CREATE ROLE feeder LOGIN PASSWORD '...'"
  blockmill grant --injector feeder --reader analyst -c mainnet.json`,
    )
    .action(run(grant));
}

async function grant(session: Session, roles: Partial<Record<Privilege, string>>): Promise<number> {
  const wanted = (["worker", "injector", "reader", "consumer"] as const).flatMap((privilege) => {
    const role = roles[privilege];
    return role === undefined ? [] : [{ privilege, role }];
  });
  if (wanted.length === 0)
    throw new UsageError("grant: expected --worker, --injector, --reader or --consumer with a role");
  if (new Set(wanted.map(({ role }) => role)).size < wanted.length) {
    throw new UsageError(
      "grant: expected a role of its own for each; a grant takes away what the role had before",
    );
  }
  const { schema } = session.config.database;
  await withDatabase(session, (pool) =>
    inTransaction(pool, async (tx) => {
      for (const { privilege, role } of wanted) await grantPrivilege(tx, schema, role, privilege);
    }),
  );
  for (const { privilege, role } of wanted)
    process.stdout.write(`${role} is ${privilege} of the schema "${schema}".\n`);
  return exitCodes.done;
}
