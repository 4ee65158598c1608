// The direct way, as one module: from the two answers of a node, as bytes, to the rows of a block in PostgreSQL's binary COPY
// format, proven. What it does is what src/chain/parse, src/chain/verify, src/decode and src/store do to a block, and
// its rows are theirs to the byte; a test compares them. What is unusual in any way leaves by a trap, and goes the long way.
//
// JavaScript calls: place, write the answers there, read, check, encode; and finds the rest at RESULT_AT (src/fields/direct-layout.ts). What follows from the
// fields is generated from src/fields (codegen), into ./generated of the folder that is compiled.

import { makeChecks } from "./checks";
import { startCopy, written } from "./copy";
import {
  BLOCK_ANSWER,
  EXCESS_BLOB_GAS,
  HASH,
  ID,
  NUMBER,
  PARENT_HASH,
  RECEIPTS_ANSWER,
  RESULT,
  TIMESTAMP,
  WITHDRAWALS,
} from "./generated/fields";
import { nameFields } from "./generated/known-names";
import {
  LEFT_PLACE,
  RESULT_BLOCKS_COUNT,
  RESULT_BLOCKS_FROM,
  RESULT_END,
  RESULT_EXCESS_BLOB_GAS,
  RESULT_HASH,
  RESULT_LOGS_COUNT,
  RESULT_LOGS_FROM,
  RESULT_NUMBER,
  RESULT_PARENT_HASH,
  RESULT_TIMESTAMP,
  RESULT_TOKEN_TRANSFERS_COUNT,
  RESULT_TOKEN_TRANSFERS_FROM,
  RESULT_TRANSACTIONS_COUNT,
  RESULT_TRANSACTIONS_FROM,
  RESULT_WITHDRAWALS_COUNT,
  RESULT_WITHDRAWALS_FROM,
} from "./generated/layout";
import { putHeader } from "./generated/rows";
import { logCount, readAnswer, startReading, transactionCount } from "./json";
import { leaveUnless, RESULT_AT, reason, SLACK, startBlock, take, VERIFIED_AT } from "./memory";
import { forgetNames } from "./names";
import { isNull, lengthOf, numberIn, valueAt } from "./object";
import { putLogs, putTransactions, putWithdrawals } from "./rows";
import { checkShape } from "./shape";
import { nameEvents, putTransfers } from "./transfers";

forgetNames();
nameFields();
nameEvents();

let blockAt: usize = 0;
let blockBytes: usize = 0;
let receiptsAt: usize = 0;
let receiptsBytes: usize = 0;
let header: usize = 0;

/** Why the last block did not go this way: memory.ts has the reasons. */
export function whyNot(): i32 {
  return reason;
}

export function resultAt(): usize {
  return RESULT_AT;
}

/** Where the column `verified` is to be written, with its length in front. */
export function verifiedAt(): usize {
  return VERIFIED_AT;
}

/** Begins a block: where its answer is to be written. That of its receipts goes where `placeOfReceipts` says. */
export function place(ofBlock: usize, ofReceipts: usize): usize {
  startBlock();
  blockBytes = ofBlock;
  receiptsBytes = ofReceipts;
  blockAt = take(ofBlock + SLACK);
  receiptsAt = take(ofReceipts + SLACK);
  memory.fill(blockAt + ofBlock, 0, SLACK);
  memory.fill(receiptsAt + ofReceipts, 0, SLACK);
  return blockAt;
}

export function placeOfReceipts(): usize {
  return receiptsAt;
}

/** Reads the answers to these two requests. Leaves the block's number, its hash and its parent's at RESULT_AT. */
export function read(blockId: f64, receiptsId: f64): void {
  startReading(blockBytes, receiptsBytes);
  const block = readAnswer(BLOCK_ANSWER, blockAt, blockBytes);
  const receipts = readAnswer(RECEIPTS_ANSWER, receiptsAt, receiptsBytes);
  expectId(block, blockId);
  expectId(receipts, receiptsId);
  leaveUnless(!isNull(block, RESULT) && !isNull(receipts, RESULT), LEFT_PLACE);
  header = valueAt(block, RESULT);
  checkShape(header);
  store<f64>(RESULT_AT + RESULT_NUMBER, numberIn(header, NUMBER) as f64);
  store<f64>(RESULT_AT + RESULT_TIMESTAMP, numberIn(header, TIMESTAMP) as f64);
  const excess = isNull(header, EXCESS_BLOB_GAS) ? -1.0 : (numberIn(header, EXCESS_BLOB_GAS) as f64);
  store<f64>(RESULT_AT + RESULT_EXCESS_BLOB_GAS, excess);
  tell(RESULT_HASH, valueAt(header, HASH));
  tell(RESULT_PARENT_HASH, valueAt(header, PARENT_HASH));
}

function tell(result: usize, value: usize): void {
  store<u32>(RESULT_AT + result, value as u32);
}

function expectId(answer: usize, id: f64): void {
  leaveUnless(!isNull(answer, ID) && lengthOf(answer, ID) <= 15, LEFT_PLACE);
  let told: f64 = 0;
  const at = valueAt(answer, ID);
  for (let i: usize = 0; i < lengthOf(answer, ID); i++) told = told * 10 + ((load<u8>(at + i) - 0x30) as f64);
  leaveUnless(told === id, LEFT_PLACE);
}

/**
 * Makes the checks whose bits are set, src/fields/direct-layout.ts. Returns those that prove something of this block.
 * `blobPrice`: of a blob's gas; 0: it is not known.
 */
export function check(checks: u32, asItIs: bool, chainId: f64, blobPrice: f64): u32 {
  return makeChecks(header, checks, asItIs, chainId as u64, blobPrice, blockBytes + receiptsBytes);
}

/** Writes the rows, and tells where each table's lie and how many there are. */
export function encode(verifiedBytes: usize): void {
  startCopy(take(128));
  tell(RESULT_TRANSACTIONS_FROM, written());
  tell(RESULT_TRANSACTIONS_COUNT, transactionCount);
  putTransactions(header);
  tell(RESULT_LOGS_FROM, written());
  tell(RESULT_LOGS_COUNT, logCount);
  putLogs(header);
  tell(RESULT_WITHDRAWALS_FROM, written());
  tell(RESULT_WITHDRAWALS_COUNT, lengthOf(header, WITHDRAWALS));
  putWithdrawals(header);
  tell(RESULT_TOKEN_TRANSFERS_FROM, written());
  tell(RESULT_TOKEN_TRANSFERS_COUNT, putTransfers(header));
  tell(RESULT_BLOCKS_FROM, written());
  tell(RESULT_BLOCKS_COUNT, 1);
  putHeader(header, numberIn(header, NUMBER), verifiedBytes);
  tell(RESULT_END, written());
}
