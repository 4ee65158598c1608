import type { ClientBase } from "pg";
import { CHAIN_TABLES, countPerTable, type RowCounts } from "./chain-tables.js";
import { copyIn } from "./copy-in.js";
import { copyHeader, copyTrailer } from "./copy-writer.js";
import { deleteBlockNumbers } from "./delete-blocks.js";
import type { EncodedBlock } from "./encode-block.js";

const selectStored = `
  select number from blocks where number = any ($1::bigint[])`;

/**
 * Writes blocks with everything in them, in place of what is stored under their numbers, and returns how
 * many rows were written. Each number may come once.
 *
 * It runs inside the caller's transaction, which it neither begins nor ends: rows that were written
 * before an error are the caller's to roll back. PostgreSQL's errors reach the caller as they are.
 * The connection's search_path decides which schema it is.
 */
export async function writeBlocks(client: ClientBase, blocks: readonly EncodedBlock[]): Promise<RowCounts> {
  await deleteStored(client, blocks);
  return countPerTable(async (name) => {
    const filled = blocks.filter(({ counts }) => counts[name] > 0);
    if (filled.length === 0) return 0;
    const { name: table, columns } = CHAIN_TABLES[name];
    const statement = `copy ${table} (${columns.join(", ")}) from stdin (format binary)`;
    return copyIn(client, statement, [copyHeader, ...filled.map(({ rows }) => rows[name]), copyTrailer]);
  });
}

/** Most blocks are new: one look at the primary key saves five deletes. */
async function deleteStored(client: ClientBase, blocks: readonly EncodedBlock[]): Promise<void> {
  if (blocks.length === 0) return;
  const stored = await client.query<{ number: string | number }>({
    name: "stored",
    text: selectStored,
    values: [blocks.map(({ number }) => number)],
  });
  if (stored.rows.length === 0) return;
  await deleteBlockNumbers(
    client,
    stored.rows.map(({ number }) => number),
  );
}
