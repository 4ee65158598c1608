import type { Fields } from "./field.js";
import { address, hash, integer, MAX_INT4, quantity } from "./kinds.js";

/** A transfer of tokens, decoded from a log, in the order of its columns. */
export const tokenTransferFields = {
  logIndex: { kind: integer(MAX_INT4), column: "log_index" },
  /** Its place in a TransferBatch; 0 otherwise. */
  batchIndex: { kind: integer(MAX_INT4), column: "batch_index" },
  transactionHash: { kind: hash, column: "transaction_hash" },
  tokenAddress: { kind: address, column: "token_address" },
  standard: { kind: { is: "text", oneOf: ["erc20", "erc721", "erc1155"] }, column: "standard" },
  /** ERC-1155: who moved it. */
  operator: { kind: address, optional: "another standard", column: "operator" },
  fromAddress: { kind: address, column: "from_address" },
  toAddress: { kind: address, column: "to_address" },
  /** 1 for ERC-721. */
  value: { kind: quantity(256), column: "value" },
  /** Null for ERC-20. */
  tokenId: { kind: quantity(256), optional: "ERC-20", column: "token_id" },
} as const satisfies Fields;
