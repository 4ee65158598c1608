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
 * Case and leading zeros are normalised. Fields that only some chains have may be missing exactly where
 * the schema has null; fields that the schema does not know are kept in `extra`. Anything else throws
 * BadResponseError with the endpoint, the block, the path of the field, what was expected and what came.
 */
export function parseBlock(raw: unknown, receipts: unknown, asked: Asked): Block {
  const answer = new Answer(asked.endpoint, asked.number);
  const block = new AnswerObject(answer, raw, { parent: null, field: "", index: null });
  const header = parseHeader(block);
  expectAsked(block, header, asked);
  answer.block = header.number;

  const transactions = parseTransactions(block, header, receipts);
  expectLogOrder(answer, transactions);
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

function parseTransactions(block: AnswerObject, header: Header, receipts: unknown): Transaction[] {
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
    return parseTransaction(raw, place, (ownPlace) => {
      const receipt = new AnswerObject(block.answer, receipts[index], {
        parent: null,
        field: "receipts",
        index,
      });
      return parseReceipt(receipt, ownPlace);
    });
  });
}

/** Log indexes rise through the block. That they start at 0 and leave no gap is for the verification. */
function expectLogOrder(answer: Answer, transactions: readonly Transaction[]): void {
  let previous = -1;
  let count = 0;
  for (const { transactionIndex, receipt } of transactions) {
    count += receipt.logs.length;
    if (count > MAX_LOGS)
      throw answer.badResponse("receipts", `at most ${MAX_LOGS} logs`, `${count} or more`);
    for (const [index, { logIndex }] of receipt.logs.entries()) {
      if (logIndex <= previous) {
        const field = `receipts[${transactionIndex}].logs[${index}].logIndex`;
        throw answer.badResponse(field, `an index above ${previous}`, logIndex);
      }
      previous = logIndex;
    }
  }
}

function parseWithdrawals(block: AnswerObject): Block["withdrawals"] {
  if (block.isAbsent("withdrawals")) return null;
  return block.objects("withdrawals", withdrawalList.kind.most, (raw) => readWithdrawal(raw, null));
}
