import type { Header, Log, Receipt, Transaction } from "../../src/block.js";
import { blankOf } from "../../src/fields/blank.js";
import { entriesOf, type Fields, isKept } from "../../src/fields/field.js";
import { headerFields } from "../../src/fields/header.js";
import { logFields } from "../../src/fields/log.js";
import { receiptFields } from "../../src/fields/receipt.js";
import { transactionFields } from "../../src/fields/transaction.js";

// What made-up objects begin as: every field null, those of forks to come included.
export const blankHeader = blank<Header>(headerFields);
export const blankLog = blank<Log>(logFields);
export const blankReceipt = { ...blank<Receipt>(receiptFields), extra: null };
export const blankTransaction = { ...blank<Transaction>(transactionFields), extra: null };

function blank<Of>(fields: Fields): Of {
  return blankOf(entriesOf(fields).flatMap(([name, field]) => (isKept(field) ? [name] : []))) as Of;
}
