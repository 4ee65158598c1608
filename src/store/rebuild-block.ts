// A block's rows as the objects that they were written from: the inverse of the *-table.ts files.

import type { Block, Hex, Log, Receipt, Transaction, Withdrawal } from "../block.js";
import type { TokenTransfer } from "../decode/decode-token-transfers.js";
import { BLOCKS, LOGS, TOKEN_TRANSFERS, TRANSACTIONS, WITHDRAWALS } from "../fields/tables.js";
import { groupBy } from "./group-by.js";
import { columnsReader, itemColumns } from "./read-columns.js";
import { type Contradiction, StoredRow } from "./stored-row.js";

type Row = Record<string, unknown>;

/** A block's rows; each table's in the order in which they were written. */
export interface RowsOfBlock {
  header: Row;
  transactions: readonly Row[];
  logs: readonly Row[];
  withdrawals: readonly Row[];
  tokenTransfers: readonly Row[];
}

/**
 * Rebuilds a block. Values that no block can have are added to `wrong`; then what is returned must not be
 * used. `bloomOf` gives a receipt's bloom.
 */
export function rebuildBlock(
  rows: RowsOfBlock,
  { wrong, bloomOf }: { wrong: Contradiction[]; bloomOf: (logs: readonly Log[]) => Hex },
): { block: Block; tokenTransfers: TokenTransfer[] } {
  const logs = groupBy(rows.logs, "transaction_index");
  const transactions = rows.transactions.map((each) => {
    const place = `transactions[${each.transaction_index}]`;
    const row = new StoredRow(each, { table: "transactions", place, wrong });
    const ownLogs = (logs.get(each.transaction_index) ?? []).map((log) => logOf(log, wrong));
    const logsBloom = wrong.length > 0 ? "0x" : bloomOf(ownLogs);
    return transactionOf(row, { logs: ownLogs, logsBloom });
  });
  const isBeforeShanghai = rows.header.withdrawals_root === null && rows.withdrawals.length === 0;
  return {
    block: {
      header: headerOf(new StoredRow(rows.header, { table: "blocks", place: "", wrong })),
      transactions,
      withdrawals: isBeforeShanghai ? null : rows.withdrawals.map((each) => withdrawalOf(each, wrong)),
    },
    tokenTransfers: rows.tokenTransfers.map((each) => tokenTransferOf(each, wrong)),
  };
}

const readHeader = columnsReader<Omit<Block["header"], "extra">>(BLOCKS, "header");
const readTransaction = columnsReader<Omit<Transaction, "extra" | "receipt">>(TRANSACTIONS, "row");
const readReceipt = columnsReader<Omit<Receipt, "logs" | "logsBloom" | "extra" | Echo>>(
  TRANSACTIONS,
  "receipt",
);
/** What a receipt says again of its transaction: it is compared, not stored. */
const echoes = { from: null, to: null, type: null } satisfies Partial<Receipt>;
type Echo = keyof typeof echoes;

const readLog = columnsReader<Omit<Log, "topics">>(LOGS, "row");
const readWithdrawal = columnsReader<Withdrawal>(WITHDRAWALS, "row");
const readTokenTransfer = columnsReader<TokenTransfer>(TOKEN_TRANSFERS, "row");
const topicColumns = itemColumns(LOGS, "topics");

function headerOf(row: StoredRow): Block["header"] {
  return { ...readHeader(row), extra: row.extra("extra") };
}

function transactionOf(row: StoredRow, logs: Pick<Receipt, "logs" | "logsBloom">): Transaction {
  const { receipt: receiptExtra = null, ...own } = row.extra("extra") ?? {};
  return {
    ...readTransaction(row),
    extra: Object.keys(own).length === 0 ? null : own,
    receipt: { ...readReceipt(row), ...echoes, ...logs, extra: receiptExtra as Receipt["extra"] },
  };
}

function logOf(each: Row, wrong: Contradiction[]): Log {
  const row = new StoredRow(each, { table: "logs", place: `logs[${each.log_index}]`, wrong });
  const topics = topicColumns.map((column) => (row.isNull(column) ? null : row.bytes(column, 32)));
  const count = topics.findLastIndex((topic) => topic !== null) + 1;
  const hole = topics.indexOf(null);
  if (hole !== -1 && hole < count) row.wrong(`topic${hole}`, "a topic before the next one", null);
  return { ...readLog(row), topics: topics.filter((topic) => topic !== null) };
}

function withdrawalOf(each: Row, wrong: Contradiction[]): Withdrawal {
  const place = `withdrawals[index ${each.index}]`;
  return readWithdrawal(new StoredRow(each, { table: "withdrawals", place, wrong }));
}

function tokenTransferOf(each: Row, wrong: Contradiction[]): TokenTransfer {
  const place = `token_transfers[${each.log_index}, ${each.batch_index}]`;
  return readTokenTransfer(new StoredRow(each, { table: "token_transfers", place, wrong }));
}
