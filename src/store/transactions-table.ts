import type { Extra, Transaction } from "../block.js";
import { copyTable } from "./copy-table.js";

/** A transaction with its receipt's fields merged in. */
export const transactionsTable = copyTable("transactions", (block) => block.transactions, [
  ["block_number", (out, _, header) => out.int8(header.number)],
  ["transaction_index", (out, transaction) => out.int4(transaction.transactionIndex)],
  ["hash", (out, transaction) => out.bytea(transaction.hash)],
  ["block_hash", (out, _, header) => out.bytea(header.hash)],
  ["type", (out, transaction) => out.int2(transaction.type)],
  ["from_address", (out, transaction) => out.bytea(transaction.from)],
  ["to_address", (out, transaction) => out.bytea(transaction.to)],
  ["nonce", (out, transaction) => out.numeric(transaction.nonce)],
  ["value", (out, transaction) => out.numeric(transaction.value)],
  ["gas", (out, transaction) => out.numeric(transaction.gas)],
  ["gas_price", (out, transaction) => out.numeric(transaction.gasPrice)],
  ["max_fee_per_gas", (out, transaction) => out.numeric(transaction.maxFeePerGas)],
  ["max_priority_fee_per_gas", (out, transaction) => out.numeric(transaction.maxPriorityFeePerGas)],
  ["input", (out, transaction) => out.bytea(transaction.input)],
  ["access_list", (out, transaction) => out.jsonb(transaction.accessList)],
  ["chain_id", (out, transaction) => out.numeric(transaction.chainId)],
  ["max_fee_per_blob_gas", (out, transaction) => out.numeric(transaction.maxFeePerBlobGas)],
  ["blob_versioned_hashes", (out, transaction) => out.byteaArray(transaction.blobVersionedHashes)],
  ["authorization_list", (out, transaction) => out.jsonb(transaction.authorizationList)],
  ["r", (out, transaction) => out.bytea32(transaction.r)],
  ["s", (out, transaction) => out.bytea32(transaction.s)],
  ["v", (out, transaction) => out.numeric(transaction.v)],
  ["y_parity", (out, transaction) => out.int2(transaction.yParity)],
  ["status", (out, { receipt }) => out.int2(receipt.status)],
  ["root", (out, { receipt }) => out.bytea(receipt.root)],
  ["gas_used", (out, { receipt }) => out.numeric(receipt.gasUsed)],
  ["cumulative_gas_used", (out, { receipt }) => out.numeric(receipt.cumulativeGasUsed)],
  ["effective_gas_price", (out, { receipt }) => out.numeric(receipt.effectiveGasPrice)],
  ["contract_address", (out, { receipt }) => out.bytea(receipt.contractAddress)],
  ["blob_gas_used", (out, { receipt }) => out.numeric(receipt.blobGasUsed)],
  ["blob_gas_price", (out, { receipt }) => out.numeric(receipt.blobGasPrice)],
  ["log_count", (out, { receipt }) => out.int4(receipt.logs.length)],
  ["extra", (out, transaction) => out.jsonb(extraOf(transaction))],
]);

/** What the node sent beyond the columns; the receipt's part under "receipt". */
function extraOf({ extra, receipt }: Transaction): Extra | null {
  return receipt.extra === null ? extra : { ...extra, receipt: receipt.extra };
}
