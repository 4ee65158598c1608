import type { Fields } from "./field.js";
import { address, data, hash, integer, MAX_INT4, words } from "./kinds.js";

/** A log, in the order of its columns. */
export const logFields = {
  blockNumber: { kind: integer(Number.MAX_SAFE_INTEGER), repeats: "block.number", column: "block_number" },
  logIndex: { kind: integer(MAX_INT4), lax: "place", column: "log_index" },
  blockHash: { kind: hash, repeats: "block.hash", column: "block_hash" },
  transactionHash: { kind: hash, repeats: "transaction.hash", kept: true, column: "transaction_hash" },
  transactionIndex: { kind: integer(MAX_INT4), repeats: "index", kept: true, column: "transaction_index" },
  address: { kind: address, rlp: 0, column: "address" },
  /** At most four, 32 bytes each. */
  topics: { kind: words(4), lax: "empty", rlp: 1, column: ["topic0", "topic1", "topic2", "topic3"] },
  data: { kind: data, lax: "empty", rlp: 2, column: "data" },
  removed: { kind: { is: "false", unless: "a log that still stands" } },
  blockTimestamp: { kind: data, unread: "the header says it" },
} as const satisfies Fields;
