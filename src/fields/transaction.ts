import type { Fields } from "./field.js";
import { address, data, hash, integer, MAX_INT4, objects, quantity, word, words } from "./kinds.js";

/** An entry of an access list (EIP-2930). */
export const accessListEntryFields = {
  address: { kind: address, rlp: 0 },
  storageKeys: { kind: words(100_000), lax: "empty", rlp: 1 },
} as const satisfies Fields;

/** An authorization (EIP-7702). */
export const authorizationFields = {
  chainId: { kind: quantity(256), rlp: 0 },
  address: { kind: address, rlp: 1 },
  nonce: { kind: quantity(64), rlp: 2 },
  yParity: { kind: quantity(8), alias: "v", rlp: 3 },
  r: { kind: quantity(256), rlp: 4 },
  s: { kind: quantity(256), rlp: 5 },
} as const satisfies Fields;

/**
 * A transaction of any type, in the order of its columns. What its hash covers depends on its type, so the order of that
 * is in transaction-types.ts.
 */
export const transactionFields = {
  blockNumber: { kind: integer(Number.MAX_SAFE_INTEGER), repeats: "block.number", column: "block_number" },
  transactionIndex: { kind: integer(MAX_INT4), repeats: "index", kept: true, column: "transaction_index" },
  hash: { kind: hash, column: "hash" },
  blockHash: { kind: hash, repeats: "block.hash", column: "block_hash" },
  blockTimestamp: { kind: data, unread: "the header says it" },
  /** 0 to 255. Nodes from before EIP-2718 know one type and do not name it. */
  type: { kind: integer(255), missing: 0, column: "type" },
  from: {
    kind: address,
    unproven: "compared with the receipt; chain.recover_senders proves it",
    column: "from_address",
  },
  /** Null: creates a contract. */
  to: { kind: address, optional: "creates a contract", emptyIfNull: true, column: "to_address" },
  /** 64 bits. */
  nonce: { kind: quantity(64), lax: "null", column: "nonce" },
  value: { kind: quantity(256), lax: "null", unit: "wei", column: "value" },
  /** 64 bits. */
  gas: { kind: quantity(64), lax: "null", unit: "gas", column: "gas" },
  gasPrice: { kind: quantity(256), optional: "some nodes do not tell", unit: "wei", column: "gas_price" },
  maxFeePerGas: {
    kind: quantity(256),
    optional: "another type",
    unit: "wei",
    unhashed: "gasPrice",
    column: "max_fee_per_gas",
  },
  maxPriorityFeePerGas: {
    kind: quantity(256),
    optional: "another type",
    unit: "wei",
    unhashed: "gasPrice",
    column: "max_priority_fee_per_gas",
  },
  input: { kind: data, lax: "null", alias: "data", column: "input" },
  data: { kind: data, unread: "another name of input" },
  accessList: {
    kind: objects(accessListEntryFields, 100_000),
    optional: "another type",
    unhashed: "empty",
    column: "access_list",
  },
  chainId: {
    kind: quantity(256),
    optional: "before EIP-155",
    unhashed: "signature",
    column: "chain_id",
  },
  maxFeePerBlobGas: {
    kind: quantity(256),
    optional: "another type",
    unit: "wei",
    unhashed: "zero",
    column: "max_fee_per_blob_gas",
  },
  blobVersionedHashes: {
    kind: words(10_000),
    optional: "another type",
    unhashed: "empty",
    column: "blob_versioned_hashes",
  },
  authorizationList: {
    kind: objects(authorizationFields, 100_000),
    optional: "another type",
    unhashed: "empty",
    column: "authorization_list",
  },
  r: { kind: word, optional: "unsigned", column: "r" },
  s: { kind: word, optional: "unsigned", column: "s" },
  v: { kind: quantity(256), optional: "some nodes do not tell", unhashed: "signature", column: "v" },
  /** 0 or 1. */
  yParity: { kind: integer(1), optional: "another type", unhashed: "signature", column: "y_parity" },
} as const satisfies Fields;
