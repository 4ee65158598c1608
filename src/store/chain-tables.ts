import { blocksTable } from "./blocks-table.js";
import type { CopyTable } from "./copy-table.js";
import { logsTable } from "./logs-table.js";
import { tokenTransfersTable } from "./token-transfers-table.js";
import { transactionsTable } from "./transactions-table.js";
import { withdrawalsTable } from "./withdrawals-table.js";

/** Rows per table. */
export interface RowCounts {
  blocks: number;
  transactions: number;
  logs: number;
  withdrawals: number;
  tokenTransfers: number;
}

/** Every table that holds rows of a block. Whatever writes or removes a block goes through all of them. */
export const CHAIN_TABLES: Record<keyof RowCounts, CopyTable> = {
  blocks: blocksTable,
  transactions: transactionsTable,
  logs: logsTable,
  withdrawals: withdrawalsTable,
  tokenTransfers: tokenTransfersTable,
};

/** Runs `work` for each table, one after the other: they share a connection. */
export async function countPerTable(work: (table: CopyTable) => Promise<number>): Promise<RowCounts> {
  return {
    blocks: await work(CHAIN_TABLES.blocks),
    transactions: await work(CHAIN_TABLES.transactions),
    logs: await work(CHAIN_TABLES.logs),
    withdrawals: await work(CHAIN_TABLES.withdrawals),
    tokenTransfers: await work(CHAIN_TABLES.tokenTransfers),
  };
}
