import type { ClientBase } from "pg";
import type { BlockRows } from "../transform/to-rows.js";
import { countPerTable, type RowCounts } from "./chain-tables.js";
import { copyIn } from "./copy-in.js";
import { deleteBlockNumbers } from "./delete-blocks.js";

const SELECT_STORED = `
  select number from blocks where number = any ($1::bigint[])`;

/**
 * Writes blocks with everything in them, in place of what is stored under their numbers, and returns how
 * many rows were written. Each number may come once.
 *
 * It runs inside the caller's transaction, which it neither begins nor ends: rows that were written
 * before an error are the caller's to roll back. PostgreSQL's errors reach the caller as they are.
 * The connection's search_path decides which schema it is.
 */
export async function writeBlocks(client: ClientBase, blocks: readonly BlockRows[]): Promise<RowCounts> {
  await deleteStored(client, blocks);
  return countPerTable(async (table) =>
    table.count(blocks) === 0 ? 0 : copyIn(client, table.copy, table.encode(blocks)),
  );
}

/** Most blocks are new: one look at the primary key saves five deletes. */
async function deleteStored(client: ClientBase, blocks: readonly BlockRows[]): Promise<void> {
  if (blocks.length === 0) return;
  const numbers = blocks.map((block) => block.header.number);
  const stored = await client.query<{ number: string }>(SELECT_STORED, [numbers]);
  if (stored.rows.length > 0)
    await deleteBlockNumbers(
      client,
      stored.rows.map((row) => row.number),
    );
}
