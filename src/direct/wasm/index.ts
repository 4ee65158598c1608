// The direct way, as one module: from the two answers of a node, as bytes, to the rows of a block in PostgreSQL's binary COPY
// format, proven. What it does is what src/chain/parse, src/chain/verify, src/decode and src/store do to a block, and
// its rows are theirs to the byte; a test compares them. What is unusual in any way leaves by a trap, and goes the long way.
//
// JavaScript calls: place, write the answers there, read, check, encode; and finds the rest at RESULT_AT.

import { makeChecks } from "./checks";
import { startCopy, written } from "./copy";
import {
  BLOCK_ANSWER,
  HASH,
  ID,
  NUMBER,
  nameFields,
  PARENT_HASH,
  RECEIPTS_ANSWER,
  RESULT,
  WITHDRAWALS,
} from "./fields";
import { logCount, readAnswer, startReading, transactionCount } from "./json";
import { leaveUnless, PLACE, RESULT_AT, reason, SLACK, startBlock, take, VERIFIED_AT } from "./memory";
import { isNull, lengthOf, numberIn, valueAt } from "./object";
import { putHeader, putLogs, putTransactions, putWithdrawals } from "./rows";
import { checkShape } from "./shape";
import { nameEvents, putTransfers } from "./transfers";

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
  leaveUnless(!isNull(block, RESULT) && !isNull(receipts, RESULT), PLACE);
  header = valueAt(block, RESULT);
  checkShape(header);
  store<f64>(RESULT_AT, numberIn(header, NUMBER) as f64);
  store<u32>(RESULT_AT, valueAt(header, HASH) as u32, 8);
  store<u32>(RESULT_AT, valueAt(header, PARENT_HASH) as u32, 12);
}

function expectId(answer: usize, id: f64): void {
  leaveUnless(!isNull(answer, ID) && lengthOf(answer, ID) <= 15, PLACE);
  let told: f64 = 0;
  const at = valueAt(answer, ID);
  for (let i: usize = 0; i < lengthOf(answer, ID); i++) told = told * 10 + ((load<u8>(at + i) - 0x30) as f64);
  leaveUnless(told === id, PLACE);
}

/** Makes the checks whose bits are set, in the order of ALL_CHECKS. */
export function check(checks: u32, chainId: f64): void {
  makeChecks(header, checks, chainId as u64, blockBytes + receiptsBytes);
}

/** Writes the rows. Where each table's lie and how many there are is at RESULT_AT: five times begin, and count; then the end. */
export function encode(verifiedBytes: usize): void {
  startCopy(take(128));
  store<u32>(RESULT_AT, written() as u32, 16);
  store<u32>(RESULT_AT, transactionCount, 20);
  putTransactions(header);
  store<u32>(RESULT_AT, written() as u32, 24);
  store<u32>(RESULT_AT, logCount, 28);
  putLogs(header);
  store<u32>(RESULT_AT, written() as u32, 32);
  store<u32>(RESULT_AT, lengthOf(header, WITHDRAWALS) as u32, 36);
  putWithdrawals(header);
  store<u32>(RESULT_AT, written() as u32, 40);
  store<u32>(RESULT_AT, putTransfers(header), 44);
  store<u32>(RESULT_AT, written() as u32, 48);
  store<u32>(RESULT_AT, 1, 52);
  putHeader(header, verifiedBytes);
  store<u32>(RESULT_AT, written() as u32, 56);
}
