import type { Fields } from "./field.js";
import { address, bloom, bytes, data, hash, integer, objects, quantity, time, words } from "./kinds.js";
import { transactionFields } from "./transaction.js";
import { withdrawalFields } from "./withdrawal.js";

/**
 * A block's header, in the order of its columns. Every fork added fields at the end of what is hashed (EIP-1559, 4895,
 * 4844, 4788, 7685), so the last one that is there tells the fork, and all before it must be there too.
 */
export const headerFields = {
  number: { kind: integer(Number.MAX_SAFE_INTEGER), rlp: 8, column: "number" },
  hash: { kind: hash, column: "hash" },
  parentHash: { kind: hash, rlp: 0, column: "parent_hash" },
  /** Seconds since 1970. */
  timestamp: { kind: time, rlp: 11, column: "timestamp" },
  miner: { kind: address, lax: "null", alias: "author", rlp: 2, column: "miner" },
  /** 64 bits. */
  gasLimit: { kind: quantity(64), lax: "null", unit: "gas", rlp: 9, column: "gas_limit" },
  /** 64 bits. */
  gasUsed: { kind: quantity(64), lax: "null", unit: "gas", rlp: 10, column: "gas_used" },
  baseFeePerGas: { kind: quantity(256), since: "London", unit: "wei", rlp: 15, column: "base_fee_per_gas" },
  difficulty: { kind: quantity(256), optional: "chains without it", rlp: 7, column: "difficulty" },
  totalDifficulty: {
    kind: quantity(256),
    optional: "newer nodes no longer tell",
    unproven: "no hash covers it",
    column: "total_difficulty",
  },
  /** Bytes. */
  size: {
    kind: integer(Number.MAX_SAFE_INTEGER),
    optional: "some nodes do not tell",
    unproven: "of a block with uncles: their headers are a part of it",
    unit: "bytes",
    column: "size",
  },
  extraData: { kind: data, lax: "null", rlp: 12, column: "extra_data" },
  /** 256 bytes. */
  logsBloom: { kind: bloom, lax: "null", rlp: 6, column: "logs_bloom" },
  stateRoot: { kind: hash, lax: "null", rlp: 3, column: "state_root" },
  transactionsRoot: { kind: hash, lax: "null", rlp: 4, column: "transactions_root" },
  receiptsRoot: { kind: hash, lax: "null", rlp: 5, column: "receipts_root" },
  sha3Uncles: { kind: hash, lax: "null", rlp: 1, column: "sha3_uncles" },
  uncles: {
    kind: words(1_000),
    lax: "empty",
    unproven: "their headers are not fetched",
    column: "uncles",
  },
  /** 8 bytes. */
  nonce: { kind: bytes(8), optional: "chains without one", rlp: 14, column: "nonce" },
  mixHash: { kind: hash, optional: "chains without one", rlp: 13, column: "mix_hash" },
  withdrawalsRoot: { kind: hash, since: "Shanghai", rlp: 16, column: "withdrawals_root" },
  /** 64 bits. */
  blobGasUsed: { kind: quantity(64), since: "Cancun", unit: "gas", rlp: 17, column: "blob_gas_used" },
  /** 64 bits. */
  excessBlobGas: { kind: quantity(64), since: "Cancun", unit: "gas", rlp: 18, column: "excess_blob_gas" },
  parentBeaconBlockRoot: { kind: hash, since: "Cancun", rlp: 19, column: "parent_beacon_block_root" },
  requestsHash: { kind: hash, since: "Prague", rlp: 20, column: "requests_hash" },
} as const satisfies Fields;

/** What a block has beside its header's fields, in the same object of an answer. */
export const blockLists = {
  transactions: { kind: objects(transactionFields, 100_000) },
  withdrawals: { kind: objects(withdrawalFields, 100_000), since: "Shanghai" },
} as const satisfies Fields;
