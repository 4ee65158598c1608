// Token transfers, told from the shape of logs alone, by the rules of src/decode/decode-token-transfers.ts. What has another
// shape is no transfer.

import { put16, putBytes, putDigits, putInt4, putInt8, putName, putNull, putNumeric, reserve } from "./copy";
import { ADDRESS, DATA, LOG_INDEX, NUMBER, TOPICS, TRANSACTION_HASH } from "./generated/fields";
import { TRANSFER_COLUMNS } from "./generated/rows";
import { isSame, isZero, number } from "./hex";
import { logAt, logCount } from "./json";
import { countOf, digitsOf, lengthOf, numberIn, valueAt } from "./object";

// Transfer(address,address,uint256), TransferSingle(address,address,address,uint256,uint256) and
// TransferBatch(address,address,address,uint256[],uint256[]), as digits.
const TRANSFER = memory.data(64);
const TRANSFER_SINGLE = memory.data(64);
const TRANSFER_BATCH = memory.data(64);
const ONE = memory.data(16);

const WORD_DIGITS: usize = 64;
const ADDRESS_DIGITS: usize = 40;

/** To be called once. */
export function nameEvents(): void {
  letters(TRANSFER, "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
  letters(TRANSFER_SINGLE, "c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
  letters(TRANSFER_BATCH, "4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
  letters(ONE, "1");
}

function letters(at: usize, text: string): void {
  for (let i = 0; i < text.length; i++) store<u8>(at + (i as usize), text.charCodeAt(i) as u8);
}

/** Writes the rows of the block's transfers, and returns how many there are. */
export function putTransfers(header: usize): u32 {
  const block = numberIn(header, NUMBER);
  let count: u32 = 0;
  for (let i: u32 = 0; i < logCount; i++) {
    const log = logAt(i);
    if (lengthOf(log, TOPICS) === 0) continue;
    const event = topic(log, 0);
    if (isSame(event, TRANSFER, WORD_DIGITS)) count += putTransfer(block, log);
    else if (isSame(event, TRANSFER_SINGLE, WORD_DIGITS)) count += putSingle(block, log);
    else if (isSame(event, TRANSFER_BATCH, WORD_DIGITS)) count += putBatch(block, log);
  }
  return count;
}

/** The digits of a topic. */
function topic(log: usize, index: usize): usize {
  return (load<u32>(valueAt(log, TOPICS) + 4 * index) as usize) + 2;
}

/** An indexed address is padded with 12 zero bytes; a topic that is not is no address. */
function isAddress(log: usize, index: usize): bool {
  return lengthOf(log, TOPICS) > index && isZero(topic(log, index), WORD_DIGITS - ADDRESS_DIGITS);
}

function putTransfer(block: u64, log: usize): u32 {
  if (!isAddress(log, 1) || !isAddress(log, 2)) return 0;
  const data = countOf(log, DATA);
  if (lengthOf(log, TOPICS) === 3) {
    if (data !== WORD_DIGITS) return 0;
    startRow(block, log, 0);
    putName("erc20");
    putNull();
    putParties(log, 1);
    putNumericWord(digitsOf(log, DATA));
    putNull();
    return 1;
  }
  if (data !== 0) return 0;
  startRow(block, log, 0);
  putName("erc721");
  putNull();
  putParties(log, 1);
  putNumeric(ONE, 1);
  putNumericWord(topic(log, 3));
  return 1;
}

function putSingle(block: u64, log: usize): u32 {
  if (!isAddress(log, 1) || !isAddress(log, 2) || !isAddress(log, 3)) return 0;
  if (countOf(log, DATA) !== 2 * WORD_DIGITS) return 0;
  const data = digitsOf(log, DATA);
  put1155(block, log, 0, data, data + WORD_DIGITS);
  return 1;
}

function putBatch(block: u64, log: usize): u32 {
  if (!isAddress(log, 1) || !isAddress(log, 2) || !isAddress(log, 3)) return 0;
  if (countOf(log, DATA) % WORD_DIGITS !== 0) return 0;
  const data = digitsOf(log, DATA);
  const ids = arrayAt(log, 0);
  const values = arrayAt(log, 1);
  if (ids === NO_ARRAY || values === NO_ARRAY) return 0;
  const count = smallWord(data + ids * WORD_DIGITS);
  if (smallWord(data + values * WORD_DIGITS) !== count) return 0;
  for (let i: u64 = 0; i < count; i++) {
    const word = (i as usize) + 1;
    put1155(block, log, i as u32, data + (ids + word) * WORD_DIGITS, data + (values + word) * WORD_DIGITS);
  }
  return count as u32;
}

const NO_ARRAY: usize = 0xffffffff;
const LARGE: u64 = u64.MAX_VALUE;

/** The word where the array begins whose offset is the word at `head`: within the data, on a word, with all its items. */
function arrayAt(log: usize, head: usize): usize {
  const words = (countOf(log, DATA) / WORD_DIGITS) as u64;
  const data = digitsOf(log, DATA);
  if ((head as u64) >= words) return NO_ARRAY;
  const offset = smallWord(data + head * WORD_DIGITS);
  if (offset === LARGE || offset % 32 !== 0 || offset / 32 >= words) return NO_ARRAY;
  const start = offset / 32;
  const length = smallWord(data + (start as usize) * WORD_DIGITS);
  return length <= words - start - 1 ? (start as usize) : NO_ARRAY;
}

/** A word as a number; LARGE where it has more than 48 bits. */
function smallWord(digits: usize): u64 {
  return isZero(digits, WORD_DIGITS - 12) ? number(digits + WORD_DIGITS - 12, 12) : LARGE;
}

function put1155(block: u64, log: usize, batchIndex: u32, id: usize, value: usize): void {
  startRow(block, log, batchIndex);
  putName("erc1155");
  putDigits(topic(log, 1) + WORD_DIGITS - ADDRESS_DIGITS, ADDRESS_DIGITS);
  putParties(log, 2);
  putNumericWord(value);
  putNumericWord(id);
}

function startRow(block: u64, log: usize, batchIndex: u32): void {
  reserve(1024);
  put16(TRANSFER_COLUMNS);
  putInt8(block);
  putInt4(numberIn(log, LOG_INDEX) as u32);
  putInt4(batchIndex);
  putBytes(log, TRANSACTION_HASH);
  putBytes(log, ADDRESS);
}

function putParties(log: usize, from: usize): void {
  putDigits(topic(log, from) + WORD_DIGITS - ADDRESS_DIGITS, ADDRESS_DIGITS);
  putDigits(topic(log, from + 1) + WORD_DIGITS - ADDRESS_DIGITS, ADDRESS_DIGITS);
}

function putNumericWord(digits: usize): void {
  let zeros: usize = 0;
  while (zeros < WORD_DIGITS - 1 && load<u8>(digits + zeros) === 0x30) zeros += 1;
  putNumeric(digits + zeros, WORD_DIGITS - zeros);
}
