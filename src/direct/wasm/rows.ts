// The tables' rows. Each table's lie behind those of the one before.

import { NUMBER, WITHDRAWALS } from "./generated/fields";
import { putLog, putTransaction, putWithdrawal } from "./generated/rows";
import { logAt, logCount, nodeBehind, receiptAt, transactionAt, transactionCount } from "./json";
import { lengthOf, numberIn, valueAt } from "./object";

export function putTransactions(header: usize): void {
  const number = numberIn(header, NUMBER);
  for (let i: u32 = 0; i < transactionCount; i++) {
    putTransaction(header, number, transactionAt(i), receiptAt(i));
  }
}

export function putLogs(header: usize): void {
  const number = numberIn(header, NUMBER);
  for (let i: u32 = 0; i < logCount; i++) putLog(header, number, logAt(i));
}

export function putWithdrawals(header: usize): void {
  const number = numberIn(header, NUMBER);
  const count = lengthOf(header, WITHDRAWALS);
  let withdrawal = valueAt(header, WITHDRAWALS);
  for (let i: usize = 0; i < count; i++) {
    putWithdrawal(number, withdrawal);
    withdrawal = nodeBehind(withdrawal);
  }
}
