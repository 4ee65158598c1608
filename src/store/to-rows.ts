import type { Block, Header, Log, Transaction, Withdrawal } from "../block.js";
import type { TokenTransfer } from "../decode/decode-token-transfers.js";
import type { DerivedRows } from "./derived-table.js";

/**
 * What is to be written for one block, table by table. Rows are the block's own objects: the store
 * encodes straight from them, so nothing is copied on the way. Every row belongs to `header`.
 */
export interface BlockRows {
  header: Header;
  transactions: readonly Transaction[];
  logs: readonly Log[];
  withdrawals: readonly Withdrawal[];
  tokenTransfers: readonly TokenTransfer[];
  /** Rows of other tables that follow from these; none where it is left out. */
  derived?: readonly DerivedRows[];
  /** What was proven of the block: hash, transactionsRoot, ... Empty: nothing. */
  verified: readonly string[];
}

/** Lays a block, what was decoded from it and what was proven of it out as rows. Pure. */
export function toRows(
  block: Block,
  tokenTransfers: readonly TokenTransfer[],
  verified: readonly string[] = [],
): BlockRows {
  return {
    header: block.header,
    transactions: block.transactions,
    logs: block.transactions.flatMap((transaction) => transaction.receipt.logs),
    withdrawals: block.withdrawals ?? [],
    tokenTransfers,
    verified,
  };
}
