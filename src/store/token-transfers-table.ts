import { copyTable } from "./copy-table.js";

export const tokenTransfersTable = copyTable("token_transfers", (block) => block.tokenTransfers, [
  ["block_number", (out, _, header) => out.int8(header.number)],
  ["log_index", (out, transfer) => out.int4(transfer.logIndex)],
  ["batch_index", (out, transfer) => out.int4(transfer.batchIndex)],
  ["transaction_hash", (out, transfer) => out.bytea(transfer.transactionHash)],
  ["token_address", (out, transfer) => out.bytea(transfer.tokenAddress)],
  ["standard", (out, transfer) => out.text(transfer.standard)],
  ["operator", (out, transfer) => out.bytea(transfer.operator)],
  ["from_address", (out, transfer) => out.bytea(transfer.fromAddress)],
  ["to_address", (out, transfer) => out.bytea(transfer.toAddress)],
  ["value", (out, transfer) => out.numeric(transfer.value)],
  ["token_id", (out, transfer) => out.numeric(transfer.tokenId)],
]);
