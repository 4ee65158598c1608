// A block's rows are removed as they are written: from all tables, inside the caller's transaction. Only
// pipeline/change-rows.ts may do so.

import type { ClientBase } from "pg";
import { type RowCounts, readChainTables } from "./chain-tables.js";

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

// One statement, one snapshot: a block that is committed meanwhile goes whole, or stays whole.
async function deleteWhere(client: ClientBase, condition: string, values: unknown[]): Promise<RowCounts> {
  const tables = (await readChainTables(client)).map(({ name, key, blockColumn }, i) => ({
    key,
    gone: `gone_${i} as (delete from "${name}" where ${blockColumn} ${condition} returning 1)`,
    count: `(select count(*) from gone_${i}) as "${key}"`,
  }));
  const { rows } = await client.query<Record<string, string | number>>(
    `with ${tables.map(({ gone }) => gone).join(", ")} select ${tables.map(({ count }) => count).join(", ")}`,
    values,
  );
  return Object.fromEntries(tables.map(({ key }) => [key, Number(rows[0]?.[key])])) as RowCounts;
}
