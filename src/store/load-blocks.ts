// Blocks rebuilt from their rows, so that they can be proven again from the database alone.

import pg from "pg";
import type { Block, Extra, Hex, Log, Quantity, Transaction, Withdrawal } from "../block.js";

export interface LoadedBlock {
  block: Block;
  verified: string[];
  /** What the digest was when the block was written. */
  digest: Hex | null;
  /** Rows that contradict others, such as a count that is not the number of rows. */
  contradictions: { field: string; expected: string; actual: string }[];
}

type Row = Record<string, unknown>;

// bytea arrives as \x.. text: one slice makes it the hex that a Block holds.
const types = {
  getTypeParser(oid: number): (text: string) => unknown {
    if (oid === pg.types.builtins.BYTEA) return hexOf;
    if (oid === 1001)
      return (text) =>
        text === "{}"
          ? []
          : text
              .slice(1, -1)
              .split(",")
              .map((each) => hexOf(JSON.parse(each) as string));
    if (oid === pg.types.builtins.INT8) return Number;
    if (oid === pg.types.builtins.NUMERIC) return (text) => `0x${BigInt(text).toString(16)}`;
    return pg.types.getTypeParser(oid, "text") as (text: string) => unknown;
  },
};

function hexOf(text: string): Hex {
  return `0x${text.slice(2)}`;
}

const selects = {
  blocks:
    "select *, extract(epoch from timestamp)::bigint as seconds from blocks where number between $1 and $2 order by number",
  transactions:
    "select * from transactions where block_number between $1 and $2 order by block_number, transaction_index",
  logs: "select * from logs where block_number between $1 and $2 order by block_number, log_index",
  withdrawals: "select * from withdrawals where block_number between $1 and $2 order by block_number, index",
};

/**
 * Rebuilds the stored blocks of a range, in order. `bloomOf` gives a receipt's bloom, which is not
 * stored: it follows from the logs.
 */
export async function loadBlocks(
  client: pg.ClientBase,
  { from, to }: { from: number; to: number },
  bloomOf: (logs: readonly Log[]) => Hex,
): Promise<LoadedBlock[]> {
  const read = async (text: string): Promise<Row[]> =>
    (await client.query<Row>({ text, values: [from, to], types } as pg.QueryConfig)).rows;
  const headers = await read(selects.blocks);
  const transactions = groupBy(await read(selects.transactions), "block_number");
  const logs = groupBy(await read(selects.logs), "block_number");
  const withdrawals = groupBy(await read(selects.withdrawals), "block_number");
  return headers.map((header) => {
    const number = header.number as number;
    return rebuild(
      header,
      {
        transactions: transactions.get(number) ?? [],
        logs: logs.get(number) ?? [],
        withdrawals: withdrawals.get(number) ?? [],
      },
      bloomOf,
    );
  });
}

function rebuild(
  row: Row,
  rows: { transactions: Row[]; logs: Row[]; withdrawals: Row[] },
  bloomOf: (logs: readonly Log[]) => Hex,
): LoadedBlock {
  const logs = groupBy(rows.logs, "transaction_index");
  const block: Block = {
    header: headerOf(row),
    transactions: rows.transactions.map((each) =>
      transactionOf(each, (logs.get(each.transaction_index as number) ?? []).map(logOf), bloomOf),
    ),
    withdrawals:
      row.withdrawals_root === null && rows.withdrawals.length === 0
        ? null
        : rows.withdrawals.map(withdrawalOf),
  };
  const contradictions: LoadedBlock["contradictions"] = [];
  const expect = (field: string, expected: unknown, actual: unknown): void => {
    if (expected !== actual)
      contradictions.push({ field, expected: String(expected), actual: String(actual) });
  };
  expect("transaction_count", rows.transactions.length, row.transaction_count);
  expect("log_count", rows.logs.length, row.log_count);
  for (const each of rows.transactions) {
    const at = `transactions[${each.transaction_index}]`;
    expect(`${at}.block_hash`, row.hash, each.block_hash);
    expect(`${at}.log_count`, logs.get(each.transaction_index as number)?.length ?? 0, each.log_count);
  }
  const hashes = new Map(rows.transactions.map((each) => [each.transaction_index, each.hash]));
  for (const each of rows.logs) {
    const at = `logs[${each.log_index}]`;
    expect(`${at}.block_hash`, row.hash, each.block_hash);
    expect(`${at}.transaction_hash`, hashes.get(each.transaction_index), each.transaction_hash);
  }
  return { block, verified: row.verified as string[], digest: row.digest as Hex | null, contradictions };
}

function headerOf(row: Row): Block["header"] {
  return {
    number: row.number as number,
    hash: row.hash as Hex,
    parentHash: row.parent_hash as Hex,
    timestamp: row.seconds as number,
    miner: row.miner as Hex,
    gasLimit: row.gas_limit as Quantity,
    gasUsed: row.gas_used as Quantity,
    baseFeePerGas: row.base_fee_per_gas as Quantity | null,
    difficulty: row.difficulty as Quantity | null,
    totalDifficulty: row.total_difficulty as Quantity | null,
    size: row.size as number | null,
    extraData: row.extra_data as Hex,
    logsBloom: row.logs_bloom as Hex,
    stateRoot: row.state_root as Hex,
    transactionsRoot: row.transactions_root as Hex,
    receiptsRoot: row.receipts_root as Hex,
    sha3Uncles: row.sha3_uncles as Hex,
    uncles: row.uncles as Hex[],
    nonce: row.nonce as Hex | null,
    mixHash: row.mix_hash as Hex | null,
    withdrawalsRoot: row.withdrawals_root as Hex | null,
    blobGasUsed: row.blob_gas_used as Quantity | null,
    excessBlobGas: row.excess_blob_gas as Quantity | null,
    parentBeaconBlockRoot: row.parent_beacon_block_root as Hex | null,
    requestsHash: row.requests_hash as Hex | null,
    extra: row.extra as Extra | null,
  };
}

function transactionOf(row: Row, logs: Log[], bloomOf: (logs: readonly Log[]) => Hex): Transaction {
  const { receipt: receiptExtra = null, ...rest } = (row.extra ?? {}) as Extra & { receipt?: Extra };
  return {
    transactionIndex: row.transaction_index as number,
    hash: row.hash as Hex,
    type: row.type as number,
    from: row.from_address as Hex,
    to: row.to_address as Hex | null,
    nonce: row.nonce as Quantity,
    value: row.value as Quantity,
    gas: row.gas as Quantity,
    gasPrice: row.gas_price as Quantity | null,
    maxFeePerGas: row.max_fee_per_gas as Quantity | null,
    maxPriorityFeePerGas: row.max_priority_fee_per_gas as Quantity | null,
    input: row.input as Hex,
    accessList: row.access_list as Transaction["accessList"],
    chainId: row.chain_id as Quantity | null,
    maxFeePerBlobGas: row.max_fee_per_blob_gas as Quantity | null,
    blobVersionedHashes: row.blob_versioned_hashes as Hex[] | null,
    authorizationList: row.authorization_list as Transaction["authorizationList"],
    r: quantityOf(row.r as Hex | null),
    s: quantityOf(row.s as Hex | null),
    v: row.v as Quantity | null,
    yParity: row.y_parity as number | null,
    extra: Object.keys(rest).length === 0 ? null : rest,
    receipt: {
      status: row.status as number | null,
      root: row.root as Hex | null,
      gasUsed: row.gas_used as Quantity,
      cumulativeGasUsed: row.cumulative_gas_used as Quantity,
      effectiveGasPrice: row.effective_gas_price as Quantity | null,
      contractAddress: row.contract_address as Hex | null,
      blobGasUsed: row.blob_gas_used as Quantity | null,
      blobGasPrice: row.blob_gas_price as Quantity | null,
      logsBloom: bloomOf(logs),
      logs,
      extra: receiptExtra,
    },
  };
}

function logOf(row: Row): Log {
  const topics = [row.topic0, row.topic1, row.topic2, row.topic3].filter((topic) => topic !== null);
  return {
    logIndex: row.log_index as number,
    transactionIndex: row.transaction_index as number,
    transactionHash: row.transaction_hash as Hex,
    address: row.address as Hex,
    topics: topics as Hex[],
    data: row.data as Hex,
  };
}

function withdrawalOf(row: Row): Withdrawal {
  return {
    index: row.index as Quantity,
    validatorIndex: row.validator_index as Quantity,
    address: row.address as Hex,
    amount: row.amount as Quantity,
  };
}

/** 32 padded bytes as the number that they are. */
function quantityOf(padded: Hex | null): Quantity | null {
  return padded === null ? null : `0x${padded.slice(2).replace(/^0+(?=.)/, "")}`;
}

function groupBy(rows: Row[], column: string): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const key = row[column] as number;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}
