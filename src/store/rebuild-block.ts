// A block's rows as the objects that they were written from: the inverse of the *-table.ts files.

import type {
  AccessListEntry,
  Authorization,
  Block,
  Hex,
  Log,
  Receipt,
  Transaction,
  Withdrawal,
} from "../block.js";
import type { TokenTransfer } from "../decode/decode-token-transfers.js";
import { groupBy } from "./group-by.js";
import { type Contradiction, isHex, isQuantity, isWords, StoredRow } from "./stored-row.js";

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

function headerOf(row: StoredRow): Block["header"] {
  return {
    number: row.integer("number"),
    hash: row.bytes("hash", 32),
    parentHash: row.bytes("parent_hash", 32),
    timestamp: row.seconds("timestamp"),
    miner: row.bytes("miner", 20),
    gasLimit: row.quantity("gas_limit", 64),
    gasUsed: row.quantity("gas_used", 64),
    baseFeePerGas: row.quantityOrNull("base_fee_per_gas", 256),
    difficulty: row.quantityOrNull("difficulty", 256),
    totalDifficulty: row.quantityOrNull("total_difficulty", 256),
    size: row.integerOrNull("size"),
    extraData: row.data("extra_data"),
    logsBloom: row.bytes("logs_bloom", 256),
    stateRoot: row.bytes("state_root", 32),
    transactionsRoot: row.bytes("transactions_root", 32),
    receiptsRoot: row.bytes("receipts_root", 32),
    sha3Uncles: row.bytes("sha3_uncles", 32),
    uncles: row.words("uncles"),
    nonce: row.bytesOrNull("nonce", 8),
    mixHash: row.bytesOrNull("mix_hash", 32),
    withdrawalsRoot: row.bytesOrNull("withdrawals_root", 32),
    blobGasUsed: row.quantityOrNull("blob_gas_used", 64),
    excessBlobGas: row.quantityOrNull("excess_blob_gas", 64),
    parentBeaconBlockRoot: row.bytesOrNull("parent_beacon_block_root", 32),
    requestsHash: row.bytesOrNull("requests_hash", 32),
    extra: row.extra("extra"),
  };
}

function transactionOf(row: StoredRow, logs: Pick<Receipt, "logs" | "logsBloom">): Transaction {
  const { receipt: receiptExtra = null, ...own } = row.extra("extra") ?? {};
  return {
    transactionIndex: row.integer("transaction_index"),
    hash: row.bytes("hash", 32),
    type: row.integer("type", { max: 255 }),
    from: row.bytes("from_address", 20),
    to: row.bytesOrNull("to_address", 20),
    nonce: row.quantity("nonce", 64),
    value: row.quantity("value", 256),
    gas: row.quantity("gas", 64),
    gasPrice: row.quantityOrNull("gas_price", 256),
    maxFeePerGas: row.quantityOrNull("max_fee_per_gas", 256),
    maxPriorityFeePerGas: row.quantityOrNull("max_priority_fee_per_gas", 256),
    input: row.data("input"),
    accessList: row.list<AccessListEntry>("access_list", {
      address: (value) => isHex(value, 20),
      storageKeys: isWords,
    }),
    chainId: row.quantityOrNull("chain_id", 256),
    maxFeePerBlobGas: row.quantityOrNull("max_fee_per_blob_gas", 256),
    blobVersionedHashes: row.wordsOrNull("blob_versioned_hashes"),
    authorizationList: row.list<Authorization>("authorization_list", {
      chainId: isQuantity,
      address: (value) => isHex(value, 20),
      nonce: isQuantity,
      yParity: isQuantity,
      r: isQuantity,
      s: isQuantity,
    }),
    r: row.word("r"),
    s: row.word("s"),
    v: row.quantityOrNull("v", 256),
    yParity: row.integerOrNull("y_parity", { max: 1 }),
    extra: Object.keys(own).length === 0 ? null : own,
    receipt: {
      status: row.integerOrNull("status", { max: 1 }),
      root: row.bytesOrNull("root", 32),
      gasUsed: row.quantity("gas_used", 64),
      cumulativeGasUsed: row.quantity("cumulative_gas_used", 64),
      effectiveGasPrice: row.quantityOrNull("effective_gas_price", 256),
      contractAddress: row.bytesOrNull("contract_address", 20),
      blobGasUsed: row.quantityOrNull("blob_gas_used", 64),
      blobGasPrice: row.quantityOrNull("blob_gas_price", 256),
      ...logs,
      extra: receiptExtra as Receipt["extra"],
    },
  };
}

function logOf(each: Row, wrong: Contradiction[]): Log {
  const row = new StoredRow(each, { table: "logs", place: `logs[${each.log_index}]`, wrong });
  const topics = ["topic0", "topic1", "topic2", "topic3"].map((column) => row.bytesOrNull(column, 32));
  const count = topics.findLastIndex((topic) => topic !== null) + 1;
  const hole = topics.indexOf(null);
  if (hole !== -1 && hole < count) row.wrong(`topic${hole}`, "a topic before the next one", null);
  return {
    logIndex: row.integer("log_index"),
    transactionIndex: row.integer("transaction_index"),
    transactionHash: row.bytes("transaction_hash", 32),
    address: row.bytes("address", 20),
    topics: topics.filter((topic) => topic !== null),
    data: row.data("data"),
  };
}

function withdrawalOf(each: Row, wrong: Contradiction[]): Withdrawal {
  const row = new StoredRow(each, { table: "withdrawals", place: `withdrawals[index ${each.index}]`, wrong });
  return {
    index: row.quantity("index", 64),
    validatorIndex: row.quantity("validator_index", 64),
    address: row.bytes("address", 20),
    amount: row.quantity("amount", 64),
  };
}

function tokenTransferOf(each: Row, wrong: Contradiction[]): TokenTransfer {
  const place = `token_transfers[${each.log_index}, ${each.batch_index}]`;
  const row = new StoredRow(each, { table: "token_transfers", place, wrong });
  return {
    logIndex: row.integer("log_index"),
    batchIndex: row.integer("batch_index"),
    transactionHash: row.bytes("transaction_hash", 32),
    tokenAddress: row.bytes("token_address", 20),
    standard: each.standard as TokenTransfer["standard"],
    operator: row.bytesOrNull("operator", 20),
    fromAddress: row.bytes("from_address", 20),
    toAddress: row.bytes("to_address", 20),
    value: row.quantity("value", 256),
    tokenId: row.quantityOrNull("token_id", 256),
  };
}
