import type { Tx } from "../db/pool.js";

/** A table that is to be made for rows that follow from those of blocks. */
export interface DerivedTableDefinition {
  /** At most 40 lower-case letters, digits and underscores. */
  name: string;
  /** The columns behind block_number, as SQL says them. */
  columns: readonly { name: string; type: string; comment?: string }[];
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
  const { name, columns, comment } = definition;
  await tx.query(lockPartitions);
  await tx.query("insert into chain_tables (name) values ($1)", [name]);
  const layout = await tx.query<{ partitioned: boolean }>(
    "select partition_blocks > 0 as partitioned from chain_layout",
  );
  const partitioned = layout.rows[0]?.partitioned === true;
  await tx.query(tableStatement(definition, partitioned));
  await addComment(tx, `table ${quoted(name)}`, comment);
  for (const column of columns)
    if (column.comment !== undefined)
      await addComment(tx, `column ${quoted(name)}.${quoted(column.name)}`, column.comment);
  await grantAsLogs(tx, name);
  if (partitioned) await tx.query(makePartitions);
}

/** As it is made. */
export function tableStatement({ name, columns, key }: DerivedTableDefinition, partitioned: boolean): string {
  const lines = [
    "block_number bigint not null",
    ...columns.map((column) => `${quoted(column.name)} ${column.type}`),
    `primary key (${["block_number", ...key].map(quoted).join(", ")})`,
  ];
  const by = partitioned ? " partition by range (block_number)" : "";
  return `create table ${quoted(name)} (\n  ${lines.join(",\n  ")}\n)${by}`;
}

/** Gives every role at a table or view what it has at logs; of a view, reading alone. */
export async function grantAsLogs(tx: Tx, name: string, { onlyRead = false } = {}): Promise<void> {
  const { rows } = await tx.query<{ role: string; rights: string }>(readGrants);
  for (const { role, rights } of rows)
    if (!onlyRead) await tx.query(`grant ${rights} on ${quoted(name)} to ${role}`);
    else if (/\bSELECT\b/.test(rights)) await tx.query(`grant select on ${quoted(name)} to ${role}`);
}

export async function addComment(tx: Tx, what: string, comment: string): Promise<void> {
  const { rows } = await tx.query<{ text: string }>("select quote_literal($1::text) as text", [comment]);
  await tx.query(`comment on ${what} is ${rows[0]?.text}`);
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
