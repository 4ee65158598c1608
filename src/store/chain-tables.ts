import { blocksTable } from "./blocks-table.js";
import { logsTable } from "./logs-table.js";
import { tokenTransfersTable } from "./token-transfers-table.js";
import { transactionsTable } from "./transactions-table.js";
import { withdrawalsTable } from "./withdrawals-table.js";

/** Every table that holds rows of a block. Whatever writes or removes a block goes through all of them. */
export const CHAIN_TABLES = {
  blocks: blocksTable,
  transactions: transactionsTable,
  logs: logsTable,
  withdrawals: withdrawalsTable,
  tokenTransfers: tokenTransfersTable,
};

export type ChainTable = keyof typeof CHAIN_TABLES;

/** Rows per table. */
export type RowCounts = Record<ChainTable, number>;

/** Runs `work` for each table, one after the other: they share a connection. */
export async function countPerTable(work: (table: ChainTable) => Promise<number>): Promise<RowCounts> {
  return {
    blocks: await work("blocks"),
    transactions: await work("transactions"),
    logs: await work("logs"),
    withdrawals: await work("withdrawals"),
    tokenTransfers: await work("tokenTransfers"),
  };
}
