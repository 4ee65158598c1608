import type { Tx } from "../db/pool.js";

/** A table that is to be made for rows that follow from those of blocks. */
export interface DerivedTableDefinition {
  /** At most 40 lower-case letters, digits and underscores. */
  name: string;
  /** The columns behind block_number, as SQL says them. */
  columns: readonly { name: string; type: string }[];
  /** The columns that tell rows of one block apart: behind block_number, they are the primary key. */
  key: readonly string[];
  comment: string;
}

// As chain_partition does.
const lockPartitions = "lock table chain_layout in share row exclusive mode";

// What a role may do with logs, it may do with this table.
const readGrants = `
  select case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as role,
    string_agg(privilege_type, ', ') as rights
  from pg_class, aclexplode(relacl)
  where pg_class.oid = 'logs'::regclass and grantee <> relowner
  group by 1`;

const makePartitions = `
  select create_chain_partition(split_part(pg_get_expr(relpartbound, pg_class.oid), '''', 2)::bigint)
  from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'blocks'::regclass`;

/**
 * Makes a table beside those of schema.sql, and adds it to chain_tables: from this transaction's commit on its rows
 * are removed, granted, partitioned and backed up with their blocks. To be run by the schema's owner. Whoever makes
 * partitions waits until the transaction ends. Fails when something has the name.
 */
export async function addDerivedTable(tx: Tx, definition: DerivedTableDefinition): Promise<void> {
  const { name, columns, key, comment } = definition;
  await tx.query(lockPartitions);
  await tx.query("insert into chain_tables (name) values ($1)", [name]);
  const layout = await tx.query<{ partitioned: boolean }>(
    "select partition_blocks > 0 as partitioned from chain_layout",
  );
  const partitioned = layout.rows[0]?.partitioned === true;
  const lines = [
    "block_number bigint not null",
    ...columns.map((column) => `${quoted(column.name)} ${column.type}`),
    `primary key (${["block_number", ...key].map(quoted).join(", ")})`,
  ];
  const by = partitioned ? " partition by range (block_number)" : "";
  await tx.query(`create table ${quoted(name)} (${lines.join(", ")})${by}`);
  const { rows } = await tx.query<{ text: string }>("select quote_literal($1) as text", [comment]);
  await tx.query(`comment on table ${quoted(name)} is ${rows[0]?.text}`);
  const grants = await tx.query<{ role: string; rights: string }>(readGrants);
  for (const { role, rights } of grants.rows) await tx.query(`grant ${rights} on ${quoted(name)} to ${role}`);
  if (partitioned) await tx.query(makePartitions);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
