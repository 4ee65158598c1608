import pg from "pg";
import { ConfigError, UsageError } from "../errors.js";
import { readDerivedTables, readDerivedViews } from "./derived-tables.js";
import { partitionedBy } from "./partitioned-schema.js";
import type { Tx } from "./pool.js";

/** What a role may do with a schema. */
export type Privilege = "worker" | "injector" | "reader" | "consumer";

export type Right = "select" | "insert" | "update" | "delete";

const all: Right[] = ["select", "insert", "update", "delete"];
/** A table of one row that is always there. */
const change: Right[] = ["select", "update"];
const look: Right[] = ["select"];

/**
 * Every table and view of schema.sql, with what a daemon does to it; and the tables of chain_tables are as the
 * blocks' are. A reader reads all of them. Other
 * tables in the same schema are none of our business: they keep the grants that they have.
 */
const workerRights: Record<string, Right[]> = {
  blocks: all,
  transactions: all,
  logs: all,
  withdrawals: all,
  token_transfers: all,
  chain_layout: look,
  chain_tables: look,
  decoders: change,
  decoded_blocks: all,
  blocks_hex: look,
  transactions_hex: look,
  logs_hex: look,
  chain_feed: all,
  chain_changes: all,
  chain_readers: all,
  dropped_rows: all,
  dropped_blocks: look,
  dropped_transactions: look,
  dropped_logs: look,
  dropped_withdrawals: look,
  dropped_token_transfers: look,
  processing_jobs: all,
  processing_failures: all,
  processing_ranges: all,
  processing_workers: all,
  processing_coverage: change,
  processing_control: change,
  processing_pause: all,
  processing_history: all,
  processing_history_other: all,
  processing_head: all,
  reorgs: all,
  alerts: all,
  processing_upkeep: all,
  processing_disk: all,
  processing_samples: all,
  processing_marks: all,
  schema_version: look,
};

/** What a daemon does to each table and view: those of schema.sql, and the ones of chain_tables. */
export function workerRightsOf(derived: readonly string[]): Map<string, Right[]> {
  return new Map([...Object.entries(workerRights), ...derived.map((name) => [name, all] as const)]);
}

/** What a reader of the feed reads beside the blocks' tables and those of chain_tables. */
const feedTables = [
  "chain_tables",
  "blocks_hex",
  "transactions_hex",
  "logs_hex",
  "chain_feed",
  "chain_changes",
  "chain_readers",
  "dropped_rows",
  "dropped_blocks",
  "dropped_transactions",
  "dropped_logs",
  "dropped_withdrawals",
  "dropped_token_transfers",
];
/** What it calls; they run with their owner's rights, and write its own row of chain_readers alone. */
const feedFunctions = [
  "start_reader(text, bigint)",
  "read_changes(text, int)",
  "advance_reader(text, bigint)",
];

/** What an injector may say of a job, and what it may see of all jobs: `on conflict` looks at block_number. */
const injectable = ["block_number", "priority", "run_at", "metadata"];
const visible = ["id", "status", ...injectable];

const makePartition = (place: string): string => `${place}.create_chain_partition(bigint)`;

const feedCalls = (place: string): string[] => feedFunctions.map((name) => `${place}.${name}`);

const quote = (name: string): string => pg.escapeIdentifier(name);

/**
 * Gives a role the least that it needs. What it had of blockmill's tables before is taken away first, so
 * the grants say the whole truth. Throws a UsageError for a role that does not exist, or that owns the
 * tables: whoever owns them cannot be kept from anything.
 */
export async function grantPrivilege(
  tx: Tx,
  schema: string,
  role: string,
  privilege: Privilege,
): Promise<void> {
  await checkRole(tx, schema, role);
  const place = quote(schema);
  const to = quote(role);
  const within = (names: string[]) => names.map((name) => `${place}.${quote(name)}`).join(", ");
  const derived = await readDerivedTables(tx, schema);
  const given = workerRightsOf(derived);
  for (const view of await readDerivedViews(tx, schema)) given.set(view, look);
  const tables = [...given.keys()];
  const parts = await readParts(tx, schema, tables);
  const statements = [
    `revoke all on ${within([...tables, ...parts.partitions])} from ${to}`,
    `revoke all on sequence ${within(parts.sequences)} from ${to}`,
    `revoke all on schema ${place} from ${to}`,
    `revoke all on function ${[makePartition(place), ...feedCalls(place)].join(", ")} from ${to}`,
    `grant usage on schema ${place} to ${to}`,
  ];
  if (privilege === "injector") {
    const jobs = within(["processing_jobs"]);
    statements.push(`grant insert (${injectable.join(", ")}) on ${jobs} to ${to}`);
    statements.push(`grant select (${visible.join(", ")}) on ${jobs} to ${to}`);
  } else if (privilege === "consumer") {
    const read = [...Object.keys(partitionedBy), ...derived, ...feedTables];
    statements.push(`grant select on ${within(read)} to ${to}`);
    statements.push(`grant execute on function ${feedCalls(place).join(", ")} to ${to}`);
  } else {
    for (const [table, ofWorker] of given) {
      const rights = privilege === "worker" ? ofWorker : look;
      statements.push(`grant ${rights.join(", ")} on ${within([table])} to ${to}`);
    }
    // Only a backup reads these two: pg_dump names each partition and each sequence.
    if (parts.partitions.length > 0) statements.push(`grant select on ${within(parts.partitions)} to ${to}`);
    statements.push(`grant select on sequence ${within(parts.sequences)} to ${to}`);
    // It runs with its owner's rights, and makes partitions, nothing else: the role itself creates nothing.
    if (privilege === "worker")
      statements.push(
        `grant execute on function ${[makePartition(place), ...feedCalls(place)].join(", ")} to ${to}`,
      );
  }
  for (const statement of statements) await tx.query(statement);
}

async function checkRole(tx: Tx, schema: string, role: string): Promise<void> {
  const { rows } = await tx.query<{ owns: boolean }>(
    `select exists (
       select from pg_class join pg_namespace on pg_namespace.oid = relnamespace
       where nspname = $2 and relname = any ($3) and pg_has_role(pg_roles.oid, relowner, 'member')
     ) as owns
     from pg_roles where rolname = $1`,
    [role, schema, Object.keys(workerRights)],
  );
  const found = rows[0];
  if (found === undefined) throw new UsageError(`the role "${role}" does not exist: CREATE ROLE makes it`);
  if (found.owns) {
    throw new UsageError(
      `the role "${role}" owns the tables, or is a superuser: no grant can limit it; name another role`,
    );
  }
}

/** The days of processing_history, the partitions of the chain's tables, and the sequences of the identity columns. */
async function readParts(
  tx: Tx,
  schema: string,
  tables: string[],
): Promise<{ partitions: string[]; sequences: string[] }> {
  const { rows } = await tx.query<{ name: string; kind: string }>(
    `select part.relname as name, part.relkind as kind
     from pg_class as part
       join pg_depend on pg_depend.classid = 'pg_class'::regclass and pg_depend.objid = part.oid
       join pg_class as owner on pg_depend.refclassid = 'pg_class'::regclass and owner.oid = pg_depend.refobjid
       join pg_namespace on pg_namespace.oid = owner.relnamespace and part.relnamespace = owner.relnamespace
     where nspname = $1 and owner.relname = any ($2) and part.relname <> all ($2)
       and (part.relkind = 'S' or part.relispartition and part.relkind = 'r')
     group by 1, 2 order by 1`,
    [schema, tables],
  );
  const ofKind = (wanted: string) => rows.filter(({ kind }) => kind === wanted).map(({ name }) => name);
  const sequences = ofKind("S");
  if (sequences.length === 0) throw new ConfigError(`the schema "${schema}" has no blockmill tables`);
  return { partitions: ofKind("r"), sequences };
}
