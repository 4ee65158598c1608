// The tables' rows, column by column as src/store/*-table.ts names them. Each table's rows lie behind those of the one before.

import {
  endJsonb,
  put16,
  putBig,
  putBytes,
  putDigits,
  putInt2,
  putInt4,
  putInt8,
  putLetters,
  putNull,
  putQuantity,
  putSmall,
  putText,
  putTime,
  putWord,
  putWords,
  reserve,
  startJsonb,
} from "./copy";
import { typeOf } from "./encodings";
import {
  ACCESS_LIST,
  ADDRESS,
  AMOUNT,
  AUTHORIZATION_LIST,
  BASE_FEE_PER_GAS,
  BLOB_GAS_PRICE,
  BLOB_GAS_USED,
  BLOB_VERSIONED_HASHES,
  CHAIN_ID,
  CONTRACT_ADDRESS,
  CUMULATIVE_GAS_USED,
  DATA,
  DIFFICULTY,
  EFFECTIVE_GAS_PRICE,
  EXCESS_BLOB_GAS,
  EXTRA_DATA,
  FROM,
  GAS,
  GAS_LIMIT,
  GAS_PRICE,
  GAS_USED,
  HASH,
  INDEX,
  INPUT,
  LOG_INDEX,
  LOGS,
  LOGS_BLOOM,
  MAX_FEE_PER_BLOB_GAS,
  MAX_FEE_PER_GAS,
  MAX_PRIORITY_FEE_PER_GAS,
  MINER,
  MIX_HASH,
  NONCE,
  NUMBER,
  PARENT_BEACON_BLOCK_ROOT,
  PARENT_HASH,
  R,
  RECEIPTS_ROOT,
  REQUESTS_HASH,
  ROOT,
  S,
  SHA3_UNCLES,
  SIZE,
  STATE_ROOT,
  STATUS,
  STORAGE_KEYS,
  TIMESTAMP,
  TO,
  TOPICS,
  TOTAL_DIFFICULTY,
  TRANSACTION_HASH,
  TRANSACTION_INDEX,
  TRANSACTIONS_ROOT,
  UNCLES,
  V,
  VALIDATOR_INDEX,
  VALUE_SENT,
  WITHDRAWALS,
  WITHDRAWALS_ROOT,
  Y_PARITY,
} from "./fields";
import { logAt, logCount, nodeBehind, receiptAt, transactionAt, transactionCount } from "./json";
import { VERIFIED_AT } from "./memory";
import { isNull, lengthOf, numberIn, valueAt } from "./object";

/** More than the columns of a fixed size take in any row. */
const ROW_BYTES: usize = 4096;

export function putTransactions(header: usize): void {
  const number = numberIn(header, NUMBER);
  for (let i: u32 = 0; i < transactionCount; i++) putTransaction(header, number, i);
}

function putTransaction(header: usize, number: u64, index: u32): void {
  const transaction = transactionAt(index);
  const receipt = receiptAt(index);
  reserve(ROW_BYTES + lengthOf(transaction, INPUT));
  put16(33);
  putInt8(number);
  putInt4(index);
  putBytes(transaction, HASH);
  putBytes(header, HASH);
  putInt2(typeOf(transaction));
  putBytes(transaction, FROM);
  putBytes(transaction, TO);
  putQuantity(transaction, NONCE);
  putQuantity(transaction, VALUE_SENT);
  putQuantity(transaction, GAS);
  putQuantity(transaction, GAS_PRICE);
  putQuantity(transaction, MAX_FEE_PER_GAS);
  putQuantity(transaction, MAX_PRIORITY_FEE_PER_GAS);
  putBytes(transaction, INPUT);
  putAccessList(transaction);
  reserve(ROW_BYTES);
  putQuantity(transaction, CHAIN_ID);
  putQuantity(transaction, MAX_FEE_PER_BLOB_GAS);
  putWords(transaction, BLOB_VERSIONED_HASHES);
  putAuthorizations(transaction);
  reserve(ROW_BYTES);
  putWord(transaction, R);
  putWord(transaction, S);
  putQuantity(transaction, V);
  putSmall(transaction, Y_PARITY);
  putSmall(receipt, STATUS);
  putBytes(receipt, ROOT);
  putQuantity(receipt, GAS_USED);
  putQuantity(receipt, CUMULATIVE_GAS_USED);
  putQuantity(receipt, EFFECTIVE_GAS_PRICE);
  putBytes(receipt, CONTRACT_ADDRESS);
  putQuantity(receipt, BLOB_GAS_USED);
  putQuantity(receipt, BLOB_GAS_PRICE);
  putInt4(lengthOf(receipt, LOGS) as u32);
  putNull(); // extra: a block that has any goes the long way
}

/** jsonb in PostgreSQL's own form: shorter keys first, then by their bytes; a space behind ":" and ",". */
function putAccessList(transaction: usize): void {
  if (isNull(transaction, ACCESS_LIST)) {
    putNull();
    return;
  }
  const count = lengthOf(transaction, ACCESS_LIST);
  let entry = valueAt(transaction, ACCESS_LIST);
  reserve(64);
  const start = startJsonb();
  putLetters("[");
  for (let i: usize = 0; i < count; i++) {
    const keys = lengthOf(entry, STORAGE_KEYS);
    const list = valueAt(entry, STORAGE_KEYS);
    reserve(256 + 72 * keys);
    if (i > 0) putLetters(", ");
    putLetters('{"address": ');
    putQuoted(valueAt(entry, ADDRESS), 42);
    putLetters(', "storageKeys": [');
    for (let j: usize = 0; j < keys; j++) {
      if (j > 0) putLetters(", ");
      putQuoted(load<u32>(list + 4 * j) as usize, 66);
    }
    putLetters("]}");
    entry = nodeBehind(entry);
  }
  putLetters("]");
  endJsonb(start);
}

function putAuthorizations(transaction: usize): void {
  if (isNull(transaction, AUTHORIZATION_LIST)) {
    putNull();
    return;
  }
  const count = lengthOf(transaction, AUTHORIZATION_LIST);
  let authorization = valueAt(transaction, AUTHORIZATION_LIST);
  reserve(64 + 512 * count);
  const start = startJsonb();
  putLetters("[");
  for (let i: usize = 0; i < count; i++) {
    if (i > 0) putLetters(", ");
    putLetters('{"r": ');
    putQuotedField(authorization, R);
    putLetters(', "s": ');
    putQuotedField(authorization, S);
    putLetters(', "nonce": ');
    putQuotedField(authorization, NONCE);
    putLetters(', "address": ');
    putQuotedField(authorization, ADDRESS);
    putLetters(', "chainId": ');
    putQuotedField(authorization, CHAIN_ID);
    putLetters(', "yParity": ');
    putQuotedField(authorization, Y_PARITY);
    putLetters("}");
    authorization = nodeBehind(authorization);
  }
  putLetters("]");
  endJsonb(start);
}

function putQuotedField(object: usize, field: i32): void {
  putQuoted(valueAt(object, field), lengthOf(object, field));
}

function putQuoted(at: usize, length: usize): void {
  putLetters('"');
  putText(at, length);
  putLetters('"');
}

export function putLogs(header: usize): void {
  const number = numberIn(header, NUMBER);
  for (let i: u32 = 0; i < logCount; i++) {
    const log = logAt(i);
    const topics = lengthOf(log, TOPICS);
    const list = valueAt(log, TOPICS);
    reserve(ROW_BYTES + lengthOf(log, DATA));
    put16(11);
    putInt8(number);
    putInt4(numberIn(log, LOG_INDEX) as u32);
    putBytes(header, HASH);
    putBytes(log, TRANSACTION_HASH);
    putInt4(numberIn(log, TRANSACTION_INDEX) as u32);
    putBytes(log, ADDRESS);
    for (let j: usize = 0; j < 4; j++) {
      if (j < topics) putDigits((load<u32>(list + 4 * j) as usize) + 2, 64);
      else putNull();
    }
    putBytes(log, DATA);
  }
}

export function putWithdrawals(header: usize): void {
  const number = numberIn(header, NUMBER);
  const count = lengthOf(header, WITHDRAWALS);
  let withdrawal = valueAt(header, WITHDRAWALS);
  for (let i: usize = 0; i < count; i++) {
    reserve(ROW_BYTES);
    put16(5);
    putInt8(number);
    putQuantity(withdrawal, INDEX);
    putQuantity(withdrawal, VALIDATOR_INDEX);
    putBytes(withdrawal, ADDRESS);
    putQuantity(withdrawal, AMOUNT);
    withdrawal = nodeBehind(withdrawal);
  }
}

/** The block's own row, but for its last column: the digest, which covers all that is written here but the first two bytes. */
export function putHeader(header: usize, verifiedBytes: usize): void {
  reserve(ROW_BYTES + lengthOf(header, EXTRA_DATA) + verifiedBytes);
  put16(30);
  putBig(header, NUMBER);
  putBytes(header, HASH);
  putBytes(header, PARENT_HASH);
  putTime(numberIn(header, TIMESTAMP));
  putBytes(header, MINER);
  putQuantity(header, GAS_LIMIT);
  putQuantity(header, GAS_USED);
  putQuantity(header, BASE_FEE_PER_GAS);
  putQuantity(header, DIFFICULTY);
  putQuantity(header, TOTAL_DIFFICULTY);
  putBig(header, SIZE);
  putBytes(header, EXTRA_DATA);
  putBytes(header, LOGS_BLOOM);
  putBytes(header, STATE_ROOT);
  putBytes(header, TRANSACTIONS_ROOT);
  putBytes(header, RECEIPTS_ROOT);
  putBytes(header, SHA3_UNCLES);
  putWords(header, UNCLES);
  reserve(ROW_BYTES + verifiedBytes);
  putBytes(header, NONCE);
  putBytes(header, MIX_HASH);
  putBytes(header, WITHDRAWALS_ROOT);
  putQuantity(header, BLOB_GAS_USED);
  putQuantity(header, EXCESS_BLOB_GAS);
  putBytes(header, PARENT_BEACON_BLOCK_ROOT);
  putBytes(header, REQUESTS_HASH);
  putInt4(transactionCount);
  putInt4(logCount);
  putNull(); // extra
  putText(VERIFIED_AT, verifiedBytes);
}
