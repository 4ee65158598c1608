// Rows that no stored block has are removed, inside the caller's transaction.

import type { ClientBase } from "pg";
import type { BlockSpan } from "../block.js";
import { readChainTables } from "./chain-tables.js";
import { maxNumber } from "./stored-numbers.js";

type Client = Pick<ClientBase, "query">;

/** Removes the rows of these spans that no stored block has. Returns how many. */
export async function deleteOrphans(client: Client, spans: readonly BlockSpan[]): Promise<number> {
  let deleted = 0;
  for (const { name } of await readChainTables(client)) {
    if (name === "blocks") continue;
    // One statement, one snapshot: a block that is being written is seen with its rows, or not at all.
    const { rowCount } = await client.query(
      `delete from "${name}" using unnest($1::bigint[], $2::bigint[]) as span (first, last)
       where block_number between first and last
         and not exists (select from blocks where number = block_number)`,
      [spans.map(({ from }) => from), spans.map(({ to }) => to)],
    );
    deleted += rowCount ?? 0;
  }
  return deleted;
}

const isStray = (blockColumn: string) => `(${blockColumn} < 0 or ${blockColumn} > ${maxNumber})`;

/** Removes the rows that `countStrays` counts. Returns how many. */
export async function deleteStrays(client: Client): Promise<number> {
  let deleted = 0;
  for (const { name, blockColumn } of await readChainTables(client)) {
    const { rowCount } = await client.query(`delete from "${name}" where ${isStray(blockColumn)}`);
    deleted += rowCount ?? 0;
  }
  return deleted;
}
