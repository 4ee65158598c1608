import type { Log, Transaction } from "../../block.js";
import type { RlpWriter } from "./rlp.js";
import { DEPOSIT_TYPE, extraQuantity } from "./transaction-rlp.js";
import { present } from "./verification-error.js";

/**
 * Writes a transaction's receipt as receiptsRoot covers it: the type, if it is not 0 (EIP-2718), then
 * status (EIP-658) or the state root before Byzantium, cumulative gas, bloom and logs.
 *
 * OP stack deposits since Canyon add depositNonce and depositReceiptVersion
 * (specs.optimism.io, protocol/deposits, "Deposit Receipt").
 */
export function writeReceipt(writer: RlpWriter, transaction: Transaction): void {
  const { type, receipt } = transaction;
  const mark = writer.size;

  if (type === DEPOSIT_TYPE) writeDepositFields(writer, transaction);
  writeLogs(writer, receipt.logs);
  writer.bytes(receipt.logsBloom);
  writer.quantity(receipt.cumulativeGasUsed);
  if (receipt.status === null) writer.bytes(present(receipt.root, "status"));
  else writer.number(receipt.status);
  writer.closeList(mark);

  if (type !== 0) writer.byte(type);
}

/** Before Canyon a deposit's nonce was not hashed; the version, which came with Canyon, tells. */
function writeDepositFields(writer: RlpWriter, { receipt }: Transaction): void {
  const version = extraQuantity(receipt.extra, "depositReceiptVersion");
  if (version === null) return;
  writer.quantity(version);
  writer.quantity(present(extraQuantity(receipt.extra, "depositNonce"), "depositNonce"));
}

function writeLogs(writer: RlpWriter, logs: readonly Log[]): void {
  const mark = writer.size;
  for (let i = logs.length - 1; i >= 0; i -= 1) {
    const log = logs[i];
    if (log !== undefined) writeLog(writer, log);
  }
  writer.closeList(mark);
}

function writeLog(writer: RlpWriter, log: Log): void {
  const mark = writer.size;
  writer.bytes(log.data);
  const topics = writer.size;
  for (let i = log.topics.length - 1; i >= 0; i -= 1) writer.bytes(log.topics[i] ?? "0x");
  writer.closeList(topics);
  writer.bytes(log.address);
  writer.closeList(mark);
}
