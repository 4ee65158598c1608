import pg from "pg";
import type { Tx } from "./pool.js";

/** What a role may do with a schema. */
export type Privilege = "worker" | "injector" | "reader";

const quote = (name: string): string => pg.escapeIdentifier(name);

/** The chain's tables and views, and what people may know of the queue. */
const readable = [
  "blocks",
  "transactions",
  "logs",
  "withdrawals",
  "token_transfers",
  "blocks_hex",
  "transactions_hex",
  "logs_hex",
  "processing_jobs",
  "processing_failures",
  "processing_ranges",
  "processing_workers",
  "processing_coverage",
  "processing_head",
  "processing_control",
  "processing_history",
  "reorgs",
  "alerts",
  "schema_version",
];

/** What an injector may say of a job. */
const injectable = ["block_number", "priority", "run_at", "metadata"];

const grants: Record<Privilege, (role: string) => string[]> = {
  // A daemon: everything but changing the schema; its history then has no partition per day.
  worker: (role) => [
    `grant select, insert, update, delete on all tables in schema current_schema to ${role}`,
    `grant execute on all functions in schema current_schema to ${role}`,
  ],
  // on conflict do nothing needs to see which blocks have a job.
  injector: (role) => [
    `grant insert (${injectable.join(", ")}) on processing_jobs to ${role}`,
    `grant select (id, block_number, status, priority, run_at, metadata) on processing_jobs to ${role}`,
  ],
  reader: (role) => [`grant select on ${readable.join(", ")} to ${role}`],
};

/**
 * Gives a role the least that it needs. What it had of this schema before is taken away first, so the
 * grants say the whole truth. The role must exist.
 */
export async function grantPrivilege(
  tx: Tx,
  schema: string,
  role: string,
  privilege: Privilege,
): Promise<void> {
  const [quotedRole, quotedSchema] = [quote(role), quote(schema)];
  const statements = [
    `revoke all on all tables in schema ${quotedSchema} from ${quotedRole}`,
    `revoke all on all functions in schema ${quotedSchema} from ${quotedRole}`,
    `revoke all on schema ${quotedSchema} from ${quotedRole}`,
    `grant usage on schema ${quotedSchema} to ${quotedRole}`,
    ...grants[privilege](quotedRole).map((each) => each.replaceAll("current_schema", quotedSchema)),
  ];
  for (const statement of statements) await tx.query(statement);
}
