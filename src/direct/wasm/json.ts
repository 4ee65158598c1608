// Reads JSON as nodes write it. Whatever is unusual goes the long way: an escape, a letter beyond ASCII, a number, an
// object where none is expected, a field that nobody knows.

import {
  BLOCK_ANSWER,
  BLOCK_TIMESTAMP,
  bytesOf,
  HEADER,
  ID,
  isFalse,
  isText,
  isWords,
  LOG,
  LOGS,
  nodeKind,
  RECEIPT,
  RECEIPTS_ANSWER,
  RESULT,
  TRANSACTION,
  TRANSACTIONS,
} from "./generated/fields";
import { LEFT_FIELD, LEFT_SYNTAX, LEFT_TOO_LARGE } from "./generated/layout";
import { leaveUnless, take, takeZeros } from "./memory";
import { fieldNamed, isKnown } from "./names";
import { note, noteNull } from "./object";

const QUOTE: u32 = 0x22;
const COMMA: u32 = 0x2c;
const COLON: u32 = 0x3a;
const BACKSLASH: u32 = 0x5c;
const BRACKET_OPEN: u32 = 0x5b;
const BRACKET_CLOSE: u32 = 0x5d;
const BRACE_OPEN: u32 = 0x7b;
const BRACE_CLOSE: u32 = 0x7d;
const LETTER_N: u32 = 0x6e;
const LETTER_F: u32 = 0x66;

/** The text of `null`, and of `fals`. */
const NULL_TEXT: u32 = 0x6c6c756e;
const FALS_TEXT: u32 = 0x736c6166;

/** The next character. Behind the text lie zeros, which nothing accepts. */
let at: usize = 0;

/** The lists of a block: where each object lies. */
export let transactions: usize = 0;
export let transactionCount: u32 = 0;
export let receipts: usize = 0;
export let receiptCount: u32 = 0;
export let logs: usize = 0;
export let logCount: u32 = 0;
let mostTransactions: u32 = 0;
let mostReceipts: u32 = 0;
let mostLogs: u32 = 0;
/** How many more objects of the other lists may come. */
let nodesLeft: usize = 0;

/** No object of these lists has fewer characters than this. */
const LEAST_OBJECT: usize = 64;

/** Makes room for what two answers of these lengths can hold. */
export function startReading(blockLength: usize, receiptsLength: usize): void {
  mostTransactions = (blockLength / LEAST_OBJECT + 1) as u32;
  mostReceipts = (receiptsLength / LEAST_OBJECT + 1) as u32;
  mostLogs = mostReceipts;
  nodesLeft = blockLength / LEAST_OBJECT;
  transactions = take(4 * (mostTransactions as usize));
  receipts = take(4 * (mostReceipts as usize));
  logs = take(4 * (mostLogs as usize));
  transactionCount = 0;
  receiptCount = 0;
  logCount = 0;
}

/** Reads a whole answer, and returns its object. */
export function readAnswer(kind: i32, from: usize, length: usize): usize {
  at = from;
  const answer = takeZeros(bytesOf(kind));
  skipSpace();
  readObject(kind, answer);
  skipSpace();
  leaveUnless(at === from + length, LEFT_SYNTAX);
  return answer;
}

function skipSpace(): void {
  for (;;) {
    const code = load<u8>(at) as u32;
    if (code > 0x20 || !(code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09)) return;
    at += 1;
  }
}

function next(): u32 {
  return load<u8>(at) as u32;
}

function expect(code: u32): void {
  leaveUnless(next() === code, LEFT_SYNTAX);
  at += 1;
}

/** Whether there is another item behind a comma; else the list or object has ended with `close`. */
function hasMore(close: u32): bool {
  skipSpace();
  const code = next();
  at += 1;
  if (code === COMMA) {
    skipSpace();
    return true;
  }
  leaveUnless(code === close, LEFT_SYNTAX);
  return false;
}

/** Whether a list or object that was opened ends at once. */
function isEmpty(close: u32): bool {
  skipSpace();
  if (next() !== close) return false;
  at += 1;
  return true;
}

function readObject(kind: i32, object: usize): void {
  expect(BRACE_OPEN);
  if (isEmpty(BRACE_CLOSE)) return;
  do {
    const field = readName();
    skipSpace();
    expect(COLON);
    skipSpace();
    readValue(kind, object, field);
  } while (hasMore(BRACE_CLOSE));
}

/** The number of the field that is named; 0 if nobody knows it. */
function readName(): i32 {
  leaveUnless(next() === QUOTE, LEFT_SYNTAX);
  const start = at + 1;
  skipText();
  return fieldNamed(start, at - 1 - start);
}

function readValue(kind: i32, object: usize, field: i32): void {
  const code = next();
  const known = field !== 0 && isKnown(kind, field);
  if (code === LETTER_N) {
    leaveUnless(load<u32>(at) === NULL_TEXT, LEFT_SYNTAX);
    at += 4;
    if (known) noteNull(object, field);
    return;
  }
  leaveUnless(known, LEFT_FIELD);
  if (code === QUOTE) {
    leaveUnless(isText(field), LEFT_FIELD);
    const start = at + 1;
    skipText();
    note(object, field, start, at - 1 - start);
  } else if (code === BRACKET_OPEN) readList(kind, object, field);
  else if (code === BRACE_OPEN) readResult(kind, object, field);
  else if (code === LETTER_F) {
    leaveUnless(isFalse(field) && load<u32>(at) === FALS_TEXT && load<u8>(at, 4) === 0x65, LEFT_FIELD);
    at += 5;
    noteNull(object, field);
  } else readNumber(object, field);
}

/** A string, quotes included. */
function skipText(): void {
  at += 1;
  for (;;) {
    const codes = v128.load(at);
    const special = v128.or(
      v128.or(i8x16.eq(codes, i8x16.splat(QUOTE as i8)), i8x16.eq(codes, i8x16.splat(BACKSLASH as i8))),
      // Signed: what is beyond ASCII is below it, too.
      i8x16.lt_s(codes, i8x16.splat(0x20)),
    );
    const mask = i8x16.bitmask(special);
    if (mask === 0) {
      at += 16;
      continue;
    }
    at += ctz(mask) as usize;
    leaveUnless(next() === QUOTE, LEFT_SYNTAX);
    at += 1;
    return;
  }
}

/** The id of an answer; and some nodes write a time so, which nobody reads. */
function readNumber(object: usize, field: i32): void {
  leaveUnless(field === ID || field === BLOCK_TIMESTAMP, LEFT_FIELD);
  const start = at;
  while (next() - 0x30 <= 9) at += 1;
  leaveUnless(at > start && (at === start + 1 || load<u8>(start) !== 0x30), LEFT_SYNTAX);
  note(object, field, start, at - start);
}

function readResult(kind: i32, object: usize, field: i32): void {
  leaveUnless(field === RESULT && kind === BLOCK_ANSWER, LEFT_FIELD);
  const header = takeZeros(bytesOf(HEADER));
  readObject(HEADER, header);
  note(object, field, header, 1);
}

function readList(kind: i32, object: usize, field: i32): void {
  if (isWords(field)) readWords(object, field);
  else if (field === LOGS) {
    const first = logCount;
    readLogs();
    note(object, field, logs + 4 * (first as usize), (logCount - first) as usize);
  } else if (field === TRANSACTIONS) {
    readTransactions();
    note(object, field, transactions, transactionCount as usize);
  } else if (field === RESULT) {
    leaveUnless(kind === RECEIPTS_ANSWER, LEFT_FIELD);
    readReceipts();
    note(object, field, receipts, receiptCount as usize);
  } else {
    const items = nodeKind(field);
    leaveUnless(items >= 0, LEFT_FIELD);
    readNodes(object, field, items);
  }
}

function readTransactions(): void {
  leaveUnless(transactionCount === 0, LEFT_FIELD);
  at += 1;
  if (isEmpty(BRACKET_CLOSE)) return;
  do {
    leaveUnless(transactionCount < mostTransactions, LEFT_TOO_LARGE);
    const transaction = takeZeros(bytesOf(TRANSACTION));
    readObject(TRANSACTION, transaction);
    store<u32>(transactions + 4 * (transactionCount as usize), transaction as u32);
    transactionCount += 1;
  } while (hasMore(BRACKET_CLOSE));
}

function readReceipts(): void {
  leaveUnless(receiptCount === 0, LEFT_FIELD);
  at += 1;
  if (isEmpty(BRACKET_CLOSE)) return;
  do {
    leaveUnless(receiptCount < mostReceipts, LEFT_TOO_LARGE);
    const receipt = takeZeros(bytesOf(RECEIPT));
    readObject(RECEIPT, receipt);
    store<u32>(receipts + 4 * (receiptCount as usize), receipt as u32);
    receiptCount += 1;
  } while (hasMore(BRACKET_CLOSE));
}

function readLogs(): void {
  at += 1;
  if (isEmpty(BRACKET_CLOSE)) return;
  do {
    leaveUnless(logCount < mostLogs, LEFT_TOO_LARGE);
    const log = takeZeros(bytesOf(LOG));
    readObject(LOG, log);
    store<u32>(logs + 4 * (logCount as usize), log as u32);
    logCount += 1;
  } while (hasMore(BRACKET_CLOSE));
}

/** A list of 32 bytes each: 66 characters, whose places are noted one behind the other. */
function readWords(object: usize, field: i32): void {
  at += 1;
  const list = take(0);
  let count: usize = 0;
  if (!isEmpty(BRACKET_CLOSE)) {
    do {
      leaveUnless(next() === QUOTE, LEFT_SYNTAX);
      const start = at + 1;
      skipText();
      leaveUnless(at - 1 - start === 66, LEFT_FIELD);
      // Two of them fill what is taken: they lie side by side.
      if ((count & 1) === 0) take(8);
      store<u32>(list + 4 * count, start as u32);
      count += 1;
    } while (hasMore(BRACKET_CLOSE));
  }
  note(object, field, list, count);
}

/** Bytes before an object in a list: the place of the one before it, and of the one behind it. */
const NODE_BYTES: usize = 8;

/** Objects that are few: each knows its neighbours, and the first one the last. */
function readNodes(object: usize, field: i32, kind: i32): void {
  at += 1;
  let first: usize = 0;
  let last: usize = 0;
  let count: usize = 0;
  if (!isEmpty(BRACKET_CLOSE)) {
    do {
      leaveUnless(nodesLeft > 0, LEFT_TOO_LARGE);
      nodesLeft -= 1;
      const node = takeZeros(NODE_BYTES + bytesOf(kind)) + NODE_BYTES;
      readObject(kind, node);
      if (first === 0) first = node;
      else {
        store<u32>(node - 8, last as u32);
        store<u32>(last - 4, node as u32);
      }
      store<u32>(first - 8, node as u32);
      last = node;
      count += 1;
    } while (hasMore(BRACKET_CLOSE));
  }
  note(object, field, first === 0 ? list0 : first, count);
}

/** Where a list lies that has no items. Anything but null. */
const list0: usize = 2;

export function lastNode(first: usize): usize {
  return load<u32>(first - 8) as usize;
}

/** The object before one that is not the first. */
export function nodeBefore(node: usize): usize {
  return load<u32>(node - 8) as usize;
}

export function nodeBehind(node: usize): usize {
  return load<u32>(node - 4) as usize;
}

export function transactionAt(index: u32): usize {
  return load<u32>(transactions + 4 * (index as usize)) as usize;
}

export function receiptAt(index: u32): usize {
  return load<u32>(receipts + 4 * (index as usize)) as usize;
}

export function logAt(index: u32): usize {
  return load<u32>(logs + 4 * (index as usize)) as usize;
}
