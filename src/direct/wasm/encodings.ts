// What hashes and roots cover, as RLP, last field first: headers, transactions of the types 0 to 4, receipts, withdrawals.
// The rules stand beside those of the long way (src/chain/verify: header-rlp.ts, transaction-rlp.ts, receipt-rlp.ts).

import {
  ACCESS_LIST,
  ADDRESS,
  AMOUNT,
  AUTHORIZATION_LIST,
  BASE_FEE_PER_GAS,
  BLOB_GAS_USED,
  BLOB_VERSIONED_HASHES,
  CHAIN_ID,
  CUMULATIVE_GAS_USED,
  DATA,
  DIFFICULTY,
  EXCESS_BLOB_GAS,
  EXTRA_DATA,
  GAS,
  GAS_LIMIT,
  GAS_PRICE,
  GAS_USED,
  INDEX,
  INPUT,
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
  STATE_ROOT,
  STATUS,
  STORAGE_KEYS,
  TIMESTAMP,
  TO,
  TOPICS,
  TRANSACTIONS_ROOT,
  TYPE,
  V,
  VALIDATOR_INDEX,
  VALUE_SENT,
  WITHDRAWALS_ROOT,
  Y_PARITY,
} from "./fields";
import { lastNode, nodeBefore } from "./json";
import { leaveUnless, PROOF } from "./memory";
import { countOf, isNull, lengthOf, numberIn, valueAt } from "./object";
import { closeList, mark, writeByte, writeBytes, writeDigits, writeNumber, writeQuantity } from "./rlp";

/** The type of a transaction; where there is none, it is from before types. */
export function typeOf(transaction: usize): u32 {
  return isNull(transaction, TYPE) ? 0 : (numberIn(transaction, TYPE) as u32);
}

function presentBytes(object: usize, field: i32): void {
  leaveUnless(!isNull(object, field), PROOF);
  writeBytes(object, field);
}

function presentQuantity(object: usize, field: i32): void {
  leaveUnless(!isNull(object, field), PROOF);
  writeQuantity(object, field);
}

/** Every fork added fields at the end: the last one that is there tells the fork, and all before it must be there. */
export function writeHeader(header: usize): void {
  const since = mark();
  const shape = shapeOf(header);
  if (shape >= 6) presentBytes(header, REQUESTS_HASH);
  if (shape >= 5) presentBytes(header, PARENT_BEACON_BLOCK_ROOT);
  if (shape >= 4) presentQuantity(header, EXCESS_BLOB_GAS);
  if (shape >= 3) presentQuantity(header, BLOB_GAS_USED);
  if (shape >= 2) presentBytes(header, WITHDRAWALS_ROOT);
  if (shape >= 1) presentQuantity(header, BASE_FEE_PER_GAS);
  presentBytes(header, NONCE);
  presentBytes(header, MIX_HASH);
  writeBytes(header, EXTRA_DATA);
  writeQuantity(header, TIMESTAMP);
  writeQuantity(header, GAS_USED);
  writeQuantity(header, GAS_LIMIT);
  writeQuantity(header, NUMBER);
  presentQuantity(header, DIFFICULTY);
  writeBytes(header, LOGS_BLOOM);
  writeBytes(header, RECEIPTS_ROOT);
  writeBytes(header, TRANSACTIONS_ROOT);
  writeBytes(header, STATE_ROOT);
  writeBytes(header, MINER);
  writeBytes(header, SHA3_UNCLES);
  writeBytes(header, PARENT_HASH);
  closeList(since);
}

function shapeOf(header: usize): i32 {
  if (!isNull(header, REQUESTS_HASH)) return 6;
  if (!isNull(header, PARENT_BEACON_BLOCK_ROOT)) return 5;
  if (!isNull(header, EXCESS_BLOB_GAS)) return 4;
  if (!isNull(header, BLOB_GAS_USED)) return 3;
  if (!isNull(header, WITHDRAWALS_ROOT)) return 2;
  return isNull(header, BASE_FEE_PER_GAS) ? 0 : 1;
}

export function writeTransaction(transaction: usize): void {
  const type = typeOf(transaction);
  const since = mark();
  presentQuantity(transaction, S);
  presentQuantity(transaction, R);
  if (type === 0) presentQuantity(transaction, V);
  else writeNumber(parityOf(transaction) as u64);
  if (type === 4) writeAuthorizations(transaction);
  if (type === 3) {
    leaveUnless(!isNull(transaction, BLOB_VERSIONED_HASHES), PROOF);
    writeWords(transaction, BLOB_VERSIONED_HASHES);
    presentQuantity(transaction, MAX_FEE_PER_BLOB_GAS);
  }
  if (type >= 1) writeAccessList(transaction);
  writeBytes(transaction, INPUT);
  writeQuantity(transaction, VALUE_SENT);
  if (isNull(transaction, TO)) writeByte(0x80);
  else writeBytes(transaction, TO);
  writeQuantity(transaction, GAS);
  if (type >= 2) {
    presentQuantity(transaction, MAX_FEE_PER_GAS);
    presentQuantity(transaction, MAX_PRIORITY_FEE_PER_GAS);
  } else presentQuantity(transaction, GAS_PRICE);
  writeQuantity(transaction, NONCE);
  if (type >= 1) presentQuantity(transaction, CHAIN_ID);
  closeList(since);
  if (type !== 0) writeByte(type);
}

/** `yParity`, which older nodes call `v`. */
function parityOf(transaction: usize): u32 {
  if (!isNull(transaction, Y_PARITY)) return numberIn(transaction, Y_PARITY) as u32;
  leaveUnless(!isNull(transaction, V) && countOf(transaction, V) === 1, PROOF);
  const v = numberIn(transaction, V);
  leaveUnless(v <= 1, PROOF);
  return v as u32;
}

function writeAccessList(transaction: usize): void {
  leaveUnless(!isNull(transaction, ACCESS_LIST), PROOF);
  const since = mark();
  const count = lengthOf(transaction, ACCESS_LIST);
  let entry: usize = count === 0 ? 0 : lastNode(valueAt(transaction, ACCESS_LIST));
  for (let i: usize = count; i > 0; i--) {
    const item = mark();
    writeWords(entry, STORAGE_KEYS);
    writeBytes(entry, ADDRESS);
    closeList(item);
    if (i > 1) entry = nodeBefore(entry);
  }
  closeList(since);
}

function writeAuthorizations(transaction: usize): void {
  leaveUnless(!isNull(transaction, AUTHORIZATION_LIST), PROOF);
  const since = mark();
  const count = lengthOf(transaction, AUTHORIZATION_LIST);
  let authorization: usize = count === 0 ? 0 : lastNode(valueAt(transaction, AUTHORIZATION_LIST));
  for (let i: usize = count; i > 0; i--) {
    const item = mark();
    writeQuantity(authorization, S);
    writeQuantity(authorization, R);
    writeQuantity(authorization, Y_PARITY);
    writeQuantity(authorization, NONCE);
    writeBytes(authorization, ADDRESS);
    writeQuantity(authorization, CHAIN_ID);
    closeList(item);
    if (i > 1) authorization = nodeBefore(authorization);
  }
  closeList(since);
}

function writeWords(object: usize, field: i32): void {
  const since = mark();
  const list = valueAt(object, field);
  for (let i = lengthOf(object, field); i > 0; i--) {
    writeDigits((load<u32>(list + 4 * (i - 1)) as usize) + 2, 64);
  }
  closeList(since);
}

/** The type, if it is not 0 (EIP-2718), then status (EIP-658) or the state root before Byzantium. */
export function writeReceipt(receipt: usize, type: u32): void {
  const since = mark();
  writeLogs(receipt);
  writeBytes(receipt, LOGS_BLOOM);
  writeQuantity(receipt, CUMULATIVE_GAS_USED);
  if (isNull(receipt, STATUS)) presentBytes(receipt, ROOT);
  else writeQuantity(receipt, STATUS);
  closeList(since);
  if (type !== 0) writeByte(type);
}

function writeLogs(receipt: usize): void {
  const since = mark();
  const list = valueAt(receipt, LOGS);
  for (let i = lengthOf(receipt, LOGS); i > 0; i--) {
    const log = load<u32>(list + 4 * (i - 1)) as usize;
    const item = mark();
    writeBytes(log, DATA);
    writeWords(log, TOPICS);
    writeBytes(log, ADDRESS);
    closeList(item);
  }
  closeList(since);
}

export function writeWithdrawal(withdrawal: usize): void {
  const since = mark();
  writeQuantity(withdrawal, AMOUNT);
  writeBytes(withdrawal, ADDRESS);
  writeQuantity(withdrawal, VALIDATOR_INDEX);
  writeQuantity(withdrawal, INDEX);
  closeList(since);
}
