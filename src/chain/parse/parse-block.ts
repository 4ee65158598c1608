// From a node's answer to a block. What comes out is of the right shape and agrees with itself about
// who belongs to whom; that it is the chain's is for the verification to prove.

import type { Block, Header, Hex, Quantity, Transaction } from "../../block.js";
import { blockLists } from "../../fields/header.js";
import { MAX_LOGS } from "../../fields/receipt.js";
import { withdrawalFields } from "../../fields/withdrawal.js";
import { plural } from "../../wording.js";
import { Answer, AnswerObject } from "./answer-object.js";
import { parseHeader } from "./parse-header.js";
import { parseReceipt } from "./parse-receipt.js";
import { parseTransaction } from "./parse-transaction.js";
import { readerOf } from "./read-fields.js";

const { transactions: transactionList, withdrawals: withdrawalList } = blockLists;
const readWithdrawal = readerOf(withdrawalFields);

/**
 * What nothing is proven of, by the chain's rules and `chain.verify`. Values there that their columns cannot hold are read as
 * null and kept in `extra`. `indexes`: logs may be numbered in any way.
 */
export interface Lenience {
  header: boolean;
  transactions: boolean;
  receipts: boolean;
  indexes: boolean;
}

const strict: Lenience = { header: false, transactions: false, receipts: false, indexes: false };

/** Who was asked, and for which block. */
export interface Asked {
  /** The endpoint's name, never its URL. */
  endpoint: string;
  number?: number;
  hash?: Hex;
}

/**
 * Reads a block and its receipts.
 *
 * `raw` is the result of eth_getBlockByNumber or eth_getBlockByHash with full transactions, `receipts`
 * that of eth_getBlockReceipts, or the results of eth_getTransactionReceipt in the block's order.
 *
 * Case and leading zeros are normalised. A field may be missing where the schema has null: that it must be there is for the
 * proof to demand. Fields that the schema does not know are kept in `extra`. What is not of its kind throws
 * BadResponseError with the endpoint, the block, the path of the field, what was expected and what came, unless
 * `lenience` says that nothing is proven there.
 */
export function parseBlock(
  raw: unknown,
  receipts: unknown,
  asked: Asked,
  lenience: Lenience = strict,
): Block {
  const answer = new Answer(asked.endpoint, asked.number);
  const block = new AnswerObject(answer, raw, { parent: null, field: "", index: null });
  const header = parseHeader(block, lenience.header);
  expectAsked(block, header, asked);
  answer.block = header.number;

  const transactions = parseTransactions(block, header, { receipts, lenience });
  boundLogs(answer, transactions);
  if (lenience.indexes && !risesThrough(transactions)) numberLogs(transactions);
  return {
    header,
    transactions,
    withdrawals: parseWithdrawals(block),
  };
}

function expectAsked(block: AnswerObject, header: Header, asked: Asked): void {
  if (asked.number !== undefined && header.number !== asked.number) {
    block.fail("number", String(asked.number), header.number);
  }
  if (asked.hash !== undefined && header.hash !== asked.hash.toLowerCase()) {
    block.fail("hash", asked.hash, header.hash);
  }
}

function parseTransactions(
  block: AnswerObject,
  header: Header,
  { receipts, lenience }: { receipts: unknown; lenience: Lenience },
): Transaction[] {
  const { length } = block.list("transactions", transactionList.kind.most);
  if (!Array.isArray(receipts)) throw block.answer.badResponse("receipts", "a list", receipts);
  if (receipts.length !== length) {
    throw block.answer.badResponse(
      "receipts",
      `one receipt for each of ${plural(length, "transaction")}`,
      receipts,
    );
  }
  const blockNumberHex: Quantity = `0x${header.number.toString(16)}`;
  return block.objects("transactions", transactionList.kind.most, (raw, index) => {
    const indexHex: Quantity = `0x${index.toString(16)}`;
    const place = { blockHash: header.hash, blockNumberHex, index, indexHex };
    const receipt = new AnswerObject(block.answer, receipts[index], {
      parent: null,
      field: "receipts",
      index,
    });
    if (raw.isAbsent("from")) raw.fill("from", receipt.value("from"));
    return parseTransaction(raw, place, {
      isLenient: lenience.transactions,
      readReceipt: (ownPlace) => parseReceipt(receipt, ownPlace, lenience.receipts),
    });
  });
}

function boundLogs(answer: Answer, transactions: readonly Transaction[]): void {
  let count = 0;
  for (const { receipt } of transactions) count += receipt.logs.length;
  if (count > MAX_LOGS) throw answer.badResponse("receipts", `at most ${MAX_LOGS} logs`, `${count} or more`);
}

/** Whether no two logs have one number, so that each can be stored under its own. */
function risesThrough(transactions: readonly Transaction[]): boolean {
  let previous = -1;
  for (const { receipt } of transactions) {
    for (const { logIndex } of receipt.logs) {
      if (logIndex <= previous) return false;
      previous = logIndex;
    }
  }
  return true;
}

/** Numbers the logs by their places in the block. */
function numberLogs(transactions: readonly Transaction[]): void {
  let next = 0;
  for (const { receipt } of transactions) {
    for (const log of receipt.logs) {
      log.logIndex = next;
      next += 1;
    }
  }
}

function parseWithdrawals(block: AnswerObject): Block["withdrawals"] {
  if (block.isAbsent("withdrawals")) return null;
  return block.objects("withdrawals", withdrawalList.kind.most, (raw) => readWithdrawal(raw, null));
}
