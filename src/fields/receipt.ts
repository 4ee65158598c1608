import type { Fields } from "./field.js";
import { address, bloom, data, hash, integer, MAX_INT4, objects, quantity } from "./kinds.js";
import { logFields } from "./log.js";

/** More logs than any block can pay for. */
export const MAX_LOGS = 1_000_000;

/**
 * A receipt, in the order of its columns, which follow its transaction's. What receiptsRoot covers: the status (EIP-658)
 * or, before Byzantium, the state root; cumulative gas, bloom, logs.
 */
export const receiptFields = {
  transactionHash: { kind: hash, repeats: "transaction.hash" },
  transactionIndex: { kind: integer(MAX_INT4), repeats: "index" },
  blockHash: { kind: hash, repeats: "block.hash" },
  blockNumber: { kind: integer(Number.MAX_SAFE_INTEGER), repeats: "block.number" },
  blockTimestamp: { kind: data, unread: "the header says it" },
  from: { kind: address, echoes: "from" },
  to: { kind: address, echoes: "to" },
  type: { kind: integer(255), echoes: "type" },
  /** 1 succeeded, 0 reverted, null before Byzantium. */
  status: { kind: integer(1), since: "Byzantium", rlp: 0, column: "status" },
  /** Before Byzantium: the state root after the transaction. */
  root: { kind: hash, optional: "since Byzantium", rlp: 0, column: "root" },
  /** 64 bits. */
  gasUsed: { kind: quantity(64), lax: "null", unit: "gas", column: "gas_used" },
  /** 64 bits. */
  cumulativeGasUsed: { kind: quantity(64), lax: "null", unit: "gas", rlp: 1, column: "cumulative_gas_used" },
  effectiveGasPrice: {
    kind: quantity(256),
    optional: "older nodes do not tell",
    unit: "wei",
    column: "effective_gas_price",
  },
  contractAddress: { kind: address, optional: "it created none", column: "contract_address" },
  /** 64 bits. */
  blobGasUsed: { kind: quantity(64), optional: "it has no blobs", unit: "gas", column: "blob_gas_used" },
  blobGasPrice: {
    kind: quantity(256),
    optional: "it has no blobs",
    unproven: "where the chain's blob schedule is not known, as from its newest known fork on",
    unit: "wei",
    column: "blob_gas_price",
  },
  /** 256 bytes. It has no column: it follows from the logs. */
  logsBloom: { kind: bloom, lax: "null", rlp: 2 },
  /** In the order of their index. */
  logs: { kind: objects(logFields, MAX_LOGS), lax: "empty", rlp: 3 },
} as const satisfies Fields;
