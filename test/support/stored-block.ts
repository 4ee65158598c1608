// What the tables must hold of a block, said a second time and independently of the store.

import assert from "node:assert/strict";
import type { ClientBase } from "pg";
import type { Hex } from "../../src/block.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { storedDigests } from "../../src/store/stored-digests.js";
import { type BlockRows, toRows } from "../../src/store/to-rows.js";
import { type RawBlockOptions, rawBlock } from "./raw-block.js";

/** Rows of a made-up block. Their objects are the test's to change. */
export function rowsOf(options: RawBlockOptions): BlockRows {
  const { block, receipts } = rawBlock(options);
  const parsed = parseBlock(block, receipts, { endpoint: "made up", number: options.number });
  return toRows(parsed, decodeTokenTransfers(parsed), ["hash", "receiptsRoot"]);
}

const TABLES = {
  blocks: ["number", "number"],
  transactions: ["block_number", "transaction_index"],
  logs: ["block_number", "log_index"],
  withdrawals: ["block_number", "index"],
  token_transfers: ["block_number", "log_index, batch_index"],
} as const;

type StoredRows = Record<keyof typeof TABLES, Record<string, unknown>[]>;

/** Every row that is stored of a block, or of all blocks: bytes as hex, numbers as PostgreSQL prints them. */
export async function storedRows(client: ClientBase, number: number | null): Promise<StoredRows> {
  const stored = {
    blocks: [],
    transactions: [],
    logs: [],
    withdrawals: [],
    token_transfers: [],
  } as StoredRows;
  for (const [table, [blockColumn, order]] of Object.entries(TABLES)) {
    const { rows } = await client.query<Record<string, unknown>>(
      `select * from ${table} where $1::bigint is null or ${blockColumn} = $1 order by ${blockColumn}, ${order}`,
      [number],
    );
    stored[table as keyof StoredRows] = rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([column, value]) => [column, readable(value)])),
    );
  }
  return stored;
}

function readable(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `0x${value.toString("hex")}`;
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value) && Buffer.isBuffer(value[0])) return value.map(readable);
  return value;
}

export async function assertStored(client: ClientBase, block: BlockRows): Promise<void> {
  const { number } = block.header;
  const stored = await storedRows(client, number);
  const [header] = stored.blocks;
  const digest = (await storedDigests(client, [number])).get(number);
  assert.equal(header?.digest, digest);
  delete header?.digest;
  assert.deepEqual(stored, expectedRows(block));
}

const decimal = (value: Hex | null) => (value === null ? null : BigInt(value).toString());
const padded = (value: Hex | null) => (value === null ? null : `0x${value.slice(2).padStart(64, "0")}`);

function expectedRows(block: BlockRows): StoredRows {
  const { header } = block;
  const number = String(header.number);
  return {
    blocks: [
      {
        number,
        hash: header.hash,
        parent_hash: header.parentHash,
        timestamp: header.timestamp,
        miner: header.miner,
        gas_limit: decimal(header.gasLimit),
        gas_used: decimal(header.gasUsed),
        base_fee_per_gas: decimal(header.baseFeePerGas),
        difficulty: decimal(header.difficulty),
        total_difficulty: decimal(header.totalDifficulty),
        size: header.size === null ? null : String(header.size),
        extra_data: header.extraData,
        logs_bloom: header.logsBloom,
        state_root: header.stateRoot,
        transactions_root: header.transactionsRoot,
        receipts_root: header.receiptsRoot,
        sha3_uncles: header.sha3Uncles,
        uncles: header.uncles,
        nonce: header.nonce,
        mix_hash: header.mixHash,
        withdrawals_root: header.withdrawalsRoot,
        blob_gas_used: decimal(header.blobGasUsed),
        excess_blob_gas: decimal(header.excessBlobGas),
        parent_beacon_block_root: header.parentBeaconBlockRoot,
        requests_hash: header.requestsHash,
        transaction_count: block.transactions.length,
        log_count: block.logs.length,
        extra: header.extra,
        verified: block.verified,
        digest_version: 1,
      },
    ],
    transactions: block.transactions.map((transaction) => ({
      block_number: number,
      transaction_index: transaction.transactionIndex,
      hash: transaction.hash,
      block_hash: header.hash,
      type: transaction.type,
      from_address: transaction.from,
      to_address: transaction.to,
      nonce: decimal(transaction.nonce),
      value: decimal(transaction.value),
      gas: decimal(transaction.gas),
      gas_price: decimal(transaction.gasPrice),
      max_fee_per_gas: decimal(transaction.maxFeePerGas),
      max_priority_fee_per_gas: decimal(transaction.maxPriorityFeePerGas),
      input: transaction.input,
      access_list: transaction.accessList,
      chain_id: decimal(transaction.chainId),
      max_fee_per_blob_gas: decimal(transaction.maxFeePerBlobGas),
      blob_versioned_hashes: transaction.blobVersionedHashes,
      authorization_list: transaction.authorizationList,
      r: padded(transaction.r),
      s: padded(transaction.s),
      v: decimal(transaction.v),
      y_parity: transaction.yParity,
      status: transaction.receipt.status,
      root: transaction.receipt.root,
      gas_used: decimal(transaction.receipt.gasUsed),
      cumulative_gas_used: decimal(transaction.receipt.cumulativeGasUsed),
      effective_gas_price: decimal(transaction.receipt.effectiveGasPrice),
      contract_address: transaction.receipt.contractAddress,
      blob_gas_used: decimal(transaction.receipt.blobGasUsed),
      blob_gas_price: decimal(transaction.receipt.blobGasPrice),
      log_count: transaction.receipt.logs.length,
      extra:
        transaction.receipt.extra === null
          ? transaction.extra
          : { ...transaction.extra, receipt: transaction.receipt.extra },
    })),
    logs: block.logs.map((log) => ({
      block_number: number,
      log_index: log.logIndex,
      block_hash: header.hash,
      transaction_hash: log.transactionHash,
      transaction_index: log.transactionIndex,
      address: log.address,
      topic0: log.topics[0] ?? null,
      topic1: log.topics[1] ?? null,
      topic2: log.topics[2] ?? null,
      topic3: log.topics[3] ?? null,
      data: log.data,
    })),
    withdrawals: block.withdrawals.map((withdrawal) => ({
      block_number: number,
      index: decimal(withdrawal.index),
      validator_index: decimal(withdrawal.validatorIndex),
      address: withdrawal.address,
      amount: decimal(withdrawal.amount),
    })),
    token_transfers: block.tokenTransfers.map((transfer) => ({
      block_number: number,
      log_index: transfer.logIndex,
      batch_index: transfer.batchIndex,
      transaction_hash: transfer.transactionHash,
      token_address: transfer.tokenAddress,
      standard: transfer.standard,
      operator: transfer.operator,
      from_address: transfer.fromAddress,
      to_address: transfer.toAddress,
      value: decimal(transfer.value),
      token_id: decimal(transfer.tokenId),
    })),
  };
}
