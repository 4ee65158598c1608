import { readDerivedTables } from "../db/derived-tables.js";
import type { Sql } from "../db/pool.js";
import { blocksTable } from "./blocks-table.js";
import type { ChainTable, CopyTable } from "./chain-table.js";
import type { BlockTable } from "./copy-table.js";
import { logsTable } from "./logs-table.js";
import { tokenTransfersTable } from "./token-transfers-table.js";
import { transactionsTable } from "./transactions-table.js";
import { withdrawalsTable } from "./withdrawals-table.js";

/** The tables of schema.sql beside blocks, by their key, in the order in which the digest covers them. */
export const CHILD_TABLES = keyed({
  transactions: transactionsTable,
  logs: logsTable,
  withdrawals: withdrawalsTable,
  tokenTransfers: tokenTransfersTable,
});

/** The tables of schema.sql that hold rows of blocks, by their key. Others follow from their rows: see readChainTables. */
export const BLOCK_TABLES = { ...keyed({ blocks: blocksTable }), ...CHILD_TABLES };

export type ChildTableKey = keyof typeof CHILD_TABLES;
export type BlockTableKey = keyof typeof BLOCK_TABLES;

/** Rows per table, by its key. */
export type RowCounts = Record<BlockTableKey, number> & { [derived: string]: number };

/**
 * Every table that holds rows of blocks, blocks first. Whatever removes or looks at a block goes through all of them.
 * The database says which there are, since they are added while everybody works: read it in the transaction that
 * needs it.
 */
export async function readChainTables(sql: Sql): Promise<ChainTable[]> {
  const derived = await readDerivedTables(sql);
  return [
    ...Object.values<CopyTable>(BLOCK_TABLES),
    ...derived.map((name) => ({ name, key: name, blockColumn: "block_number" })),
  ];
}

/** Runs `work` for each table, one after the other: they share a connection. */
export async function countPerTable(
  sql: Sql,
  work: (table: ChainTable) => Promise<number>,
): Promise<RowCounts> {
  const counts: Record<string, number> = {};
  for (const table of await readChainTables(sql)) counts[table.key] = await work(table);
  return counts as RowCounts;
}

function keyed<Key extends string, Table extends Omit<BlockTable, "key"> | Omit<CopyTable, "key">>(
  tables: Record<Key, Table>,
): Record<Key, Table & { key: Key }> {
  const entries = Object.entries<Table>(tables).map(([key, table]) => [key, { ...table, key }]);
  return Object.fromEntries(entries) as Record<Key, Table & { key: Key }>;
}
