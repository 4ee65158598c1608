// That everything is there, of the right shape, and agrees on who belongs to whom: what the parser of the long way
// demands (src/chain/parse), field by field.

import {
  ACCESS_LIST,
  ADDRESS,
  AMOUNT,
  AUTHORIZATION_LIST,
  BASE_FEE_PER_GAS,
  BLOB_GAS_PRICE,
  BLOB_GAS_USED,
  BLOB_VERSIONED_HASHES,
  BLOCK_HASH,
  BLOCK_NUMBER,
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
  TRANSACTIONS,
  TRANSACTIONS_ROOT,
  TYPE,
  UNCLES,
  V,
  VALIDATOR_INDEX,
  VALUE_SENT,
  WITHDRAWALS,
  WITHDRAWALS_ROOT,
  Y_PARITY,
} from "./fields";
import { nodeBehind, receiptAt, receiptCount, transactionAt, transactionCount } from "./json";
import { leaveUnless, PLACE, VALUE } from "./memory";
import {
  checkBytes,
  expectBytes,
  expectBytesOrNull,
  expectData,
  expectInteger,
  expectIntegerOrNull,
  expectNumber,
  expectQuantity,
  expectQuantityOrNull,
  expectRepeated,
  isNull,
  lengthOf,
  numberIn,
  valueAt,
} from "./object";

const MAX_SAFE_INTEGER: u64 = 9007199254740991;
const MAX_TIMESTAMP: u64 = 9224318015999;
const MAX_INT4: u64 = 2147483647;
const MAX_LIST: usize = 100_000;
const MAX_UNCLES: usize = 1_000;
const MAX_BLOBS: usize = 10_000;
const MAX_TOPICS: usize = 4;
/** The last type whose encoding is known here; those of other chains have fields of their own. */
const LAST_TYPE: u64 = 4;

export function checkShape(header: usize): void {
  checkHeader(header);
  leaveUnless(receiptCount === transactionCount && (transactionCount as usize) <= MAX_LIST, PLACE);
  const number = numberIn(header, NUMBER);
  let nextLog: u64 = 0;
  for (let i: u32 = 0; i < transactionCount; i++) {
    const transaction = transactionAt(i);
    const receipt = receiptAt(i);
    checkTransaction(transaction);
    expectPlace(transaction, header, number, i);
    checkReceipt(receipt);
    expectPlace(receipt, header, number, i);
    expectRepeated(receipt, TRANSACTION_HASH, transaction, HASH);
    nextLog = checkLogs(receipt, transaction, nextLog);
  }
}

function expectPlace(object: usize, header: usize, number: u64, index: u32): void {
  expectNumber(object, TRANSACTION_INDEX, index as u64);
  expectRepeated(object, BLOCK_HASH, header, HASH);
  expectNumber(object, BLOCK_NUMBER, number);
}

function checkHeader(header: usize): void {
  expectInteger(header, NUMBER, MAX_SAFE_INTEGER);
  expectBytes(header, HASH, 32);
  expectBytes(header, PARENT_HASH, 32);
  expectInteger(header, TIMESTAMP, MAX_TIMESTAMP);
  expectBytes(header, MINER, 20);
  expectQuantity(header, GAS_LIMIT, 64);
  expectQuantity(header, GAS_USED, 64);
  expectQuantityOrNull(header, BASE_FEE_PER_GAS, 256);
  expectQuantityOrNull(header, DIFFICULTY, 256);
  expectQuantityOrNull(header, TOTAL_DIFFICULTY, 256);
  expectIntegerOrNull(header, SIZE, MAX_SAFE_INTEGER);
  expectData(header, EXTRA_DATA);
  expectBytes(header, LOGS_BLOOM, 256);
  expectBytes(header, STATE_ROOT, 32);
  expectBytes(header, TRANSACTIONS_ROOT, 32);
  expectBytes(header, RECEIPTS_ROOT, 32);
  expectBytes(header, SHA3_UNCLES, 32);
  leaveUnless(!isNull(header, UNCLES), VALUE);
  checkWords(header, UNCLES, MAX_UNCLES);
  expectBytesOrNull(header, NONCE, 8);
  expectBytesOrNull(header, MIX_HASH, 32);
  expectBytesOrNull(header, WITHDRAWALS_ROOT, 32);
  expectQuantityOrNull(header, BLOB_GAS_USED, 64);
  expectQuantityOrNull(header, EXCESS_BLOB_GAS, 64);
  expectBytesOrNull(header, PARENT_BEACON_BLOCK_ROOT, 32);
  expectBytesOrNull(header, REQUESTS_HASH, 32);
  leaveUnless(!isNull(header, TRANSACTIONS), VALUE);
  checkWithdrawals(header);
}

function checkWithdrawals(header: usize): void {
  const count = lengthOf(header, WITHDRAWALS);
  leaveUnless(count <= MAX_LIST, VALUE);
  let withdrawal = valueAt(header, WITHDRAWALS);
  for (let i: usize = 0; i < count; i++) {
    expectQuantity(withdrawal, INDEX, 64);
    expectQuantity(withdrawal, VALIDATOR_INDEX, 64);
    expectBytes(withdrawal, ADDRESS, 20);
    expectQuantity(withdrawal, AMOUNT, 64);
    withdrawal = nodeBehind(withdrawal);
  }
}

function checkTransaction(transaction: usize): void {
  expectBytes(transaction, HASH, 32);
  expectIntegerOrNull(transaction, TYPE, LAST_TYPE);
  expectBytes(transaction, FROM, 20);
  expectBytesOrNull(transaction, TO, 20);
  expectQuantity(transaction, NONCE, 64);
  expectQuantity(transaction, VALUE_SENT, 256);
  expectQuantity(transaction, GAS, 64);
  expectQuantityOrNull(transaction, GAS_PRICE, 256);
  expectQuantityOrNull(transaction, MAX_FEE_PER_GAS, 256);
  expectQuantityOrNull(transaction, MAX_PRIORITY_FEE_PER_GAS, 256);
  expectData(transaction, INPUT);
  checkAccessList(transaction);
  expectQuantityOrNull(transaction, CHAIN_ID, 256);
  expectQuantityOrNull(transaction, MAX_FEE_PER_BLOB_GAS, 256);
  checkWords(transaction, BLOB_VERSIONED_HASHES, MAX_BLOBS);
  checkAuthorizations(transaction);
  expectQuantityOrNull(transaction, R, 256);
  expectQuantityOrNull(transaction, S, 256);
  expectQuantityOrNull(transaction, V, 256);
  expectIntegerOrNull(transaction, Y_PARITY, 1);
}

function checkAccessList(transaction: usize): void {
  const count = lengthOf(transaction, ACCESS_LIST);
  leaveUnless(count <= MAX_LIST, VALUE);
  let entry = valueAt(transaction, ACCESS_LIST);
  for (let i: usize = 0; i < count; i++) {
    expectBytes(entry, ADDRESS, 20);
    leaveUnless(!isNull(entry, STORAGE_KEYS), VALUE);
    checkWords(entry, STORAGE_KEYS, MAX_LIST);
    entry = nodeBehind(entry);
  }
}

function checkAuthorizations(transaction: usize): void {
  const count = lengthOf(transaction, AUTHORIZATION_LIST);
  leaveUnless(count <= MAX_LIST, VALUE);
  let authorization = valueAt(transaction, AUTHORIZATION_LIST);
  for (let i: usize = 0; i < count; i++) {
    expectQuantity(authorization, CHAIN_ID, 256);
    expectBytes(authorization, ADDRESS, 20);
    expectQuantity(authorization, NONCE, 64);
    expectQuantity(authorization, Y_PARITY, 8);
    expectQuantity(authorization, R, 256);
    expectQuantity(authorization, S, 256);
    authorization = nodeBehind(authorization);
  }
}

function checkReceipt(receipt: usize): void {
  expectIntegerOrNull(receipt, STATUS, 1);
  expectBytesOrNull(receipt, ROOT, 32);
  expectQuantity(receipt, GAS_USED, 64);
  expectQuantity(receipt, CUMULATIVE_GAS_USED, 64);
  expectQuantityOrNull(receipt, EFFECTIVE_GAS_PRICE, 256);
  expectBytesOrNull(receipt, CONTRACT_ADDRESS, 20);
  expectQuantityOrNull(receipt, BLOB_GAS_USED, 64);
  expectQuantityOrNull(receipt, BLOB_GAS_PRICE, 256);
  expectBytes(receipt, LOGS_BLOOM, 256);
  leaveUnless(!isNull(receipt, LOGS), VALUE);
}

/** Their indexes rise through the block. Returns the least that the next one may have. */
function checkLogs(receipt: usize, transaction: usize, least: u64): u64 {
  const count = lengthOf(receipt, LOGS);
  const list = valueAt(receipt, LOGS);
  for (let i: usize = 0; i < count; i++) {
    const log = load<u32>(list + 4 * i) as usize;
    expectRepeated(log, TRANSACTION_HASH, transaction, HASH);
    expectRepeated(log, TRANSACTION_INDEX, transaction, TRANSACTION_INDEX);
    expectRepeated(log, BLOCK_HASH, transaction, BLOCK_HASH);
    expectRepeated(log, BLOCK_NUMBER, transaction, BLOCK_NUMBER);
    const index = expectInteger(log, LOG_INDEX, MAX_INT4);
    leaveUnless(index >= least, PLACE);
    least = index + 1;
    expectBytes(log, ADDRESS, 20);
    leaveUnless(!isNull(log, TOPICS), VALUE);
    checkWords(log, TOPICS, MAX_TOPICS);
    expectData(log, DATA);
  }
  return least;
}

/** At most `most` values of 32 bytes. */
function checkWords(object: usize, field: i32, most: usize): void {
  const count = lengthOf(object, field);
  leaveUnless(count <= most, VALUE);
  const list = valueAt(object, field);
  for (let i: usize = 0; i < count; i++) checkBytes(load<u32>(list + 4 * i) as usize, 66, 32);
}
