// A block's rows are removed as they are written: from all tables, inside the caller's transaction.

import type { ClientBase } from "pg";
import { countPerTable, type RowCounts } from "./chain-tables.js";

/** Removes every block above `number`; returns how many rows went. */
export function deleteBlocksAbove(client: ClientBase, number: number): Promise<RowCounts> {
  // Where a partition ends with `number`, PostgreSQL leaves it alone only if it is told so.
  return deleteWhere(client, ">= $1", [number + 1]);
}

/** Removes the blocks of a range, both ends included; returns how many rows went. */
export function deleteBlocks(
  client: ClientBase,
  { from, to }: { from: number; to: number },
): Promise<RowCounts> {
  return deleteWhere(client, "between $1 and $2", [from, to]);
}

/** Removes these blocks; returns how many rows went. Numbers may be as PostgreSQL returns a bigint. */
export function deleteBlockNumbers(
  client: ClientBase,
  numbers: readonly (number | string)[],
): Promise<RowCounts> {
  return deleteWhere(client, "= any ($1::bigint[])", [numbers]);
}

function deleteWhere(client: ClientBase, condition: string, values: unknown[]): Promise<RowCounts> {
  return countPerTable(client, async ({ name, blockColumn }) => {
    const deleted = await client.query(`delete from "${name}" where ${blockColumn} ${condition}`, values);
    return deleted.rowCount ?? 0;
  });
}
