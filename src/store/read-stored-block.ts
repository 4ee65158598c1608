import type { ClientBase } from "pg";
import { countPerTable, type RowCounts } from "./chain-tables.js";

/** What is stored of a block: its header in hex, and how many rows each table has. */
export interface StoredBlock {
  number: number;
  /** The row of blocks_hex: column names; bytes as 0x text, numbers as decimal text, a Date, jsonb as it is. */
  header: Record<string, unknown>;
  rows: RowCounts;
}

const SELECT_HEADER = `
  select * from blocks_hex where number = $1`;

/** Reads what is stored under a number, or null if nothing is. `client` may be a pool as well. */
export async function readStoredBlock(
  client: Pick<ClientBase, "query">,
  number: number,
): Promise<StoredBlock | null> {
  const { rows } = await client.query<Record<string, unknown>>(SELECT_HEADER, [number]);
  const header = rows[0];
  if (header === undefined) return null;
  return { number, header, rows: await countRows(client, number) };
}

function countRows(client: Pick<ClientBase, "query">, number: number): Promise<RowCounts> {
  return countPerTable(client, async (table) => {
    const counted = await client.query<{ count: string }>(
      `select count(*) from "${table.name}" where ${table.blockColumn} = $1`,
      [number],
    );
    return Number(counted.rows[0]?.count);
  });
}
