// That everything is there, of the right shape, and agrees on who belongs to whom: what the parser of the long way
// demands (src/chain/parse).

import { LOG_INDEX, LOGS, NUMBER } from "./generated/fields";
import { LEFT_PLACE, LEFT_VALUE } from "./generated/layout";
import { checkHeader, checkLog, checkReceipt, checkTransaction } from "./generated/shape";
import { isKnownType } from "./generated/types";
import { receiptAt, receiptCount, transactionAt, transactionCount } from "./json";
import { leaveUnless } from "./memory";
import { lengthOf, numberIn, valueAt } from "./object";
import { typeOf } from "./signature";

export function checkShape(header: usize): void {
  checkHeader(header);
  leaveUnless(receiptCount === transactionCount, LEFT_PLACE);
  const number = numberIn(header, NUMBER);
  let nextLog: u64 = 0;
  for (let i: u32 = 0; i < transactionCount; i++) {
    const transaction = transactionAt(i);
    const receipt = receiptAt(i);
    checkTransaction(transaction, header, number, i);
    leaveUnless(isKnownType(typeOf(transaction)), LEFT_VALUE);
    checkReceipt(receipt, transaction, header, number, i);
    nextLog = checkLogs(receipt, transaction, nextLog);
  }
}

/** Their indexes rise through the block. Returns the least that the next one may have. */
function checkLogs(receipt: usize, transaction: usize, least: u64): u64 {
  const count = lengthOf(receipt, LOGS);
  const list = valueAt(receipt, LOGS);
  for (let i: usize = 0; i < count; i++) {
    const log = load<u32>(list + 4 * i) as usize;
    checkLog(log, transaction);
    const index = numberIn(log, LOG_INDEX);
    leaveUnless(index >= least, LEFT_PLACE);
    least = index + 1;
  }
  return least;
}
