// The checks of the long way (src/chain/verify), by the same names and in the same order. Which of them are made is told
// by a bit each; one that does not hold sends the block the long way, where the error says which, and why.

import { checkBlooms } from "./bloom";
import { typeOf, writeHeader, writeReceipt, writeTransaction, writeWithdrawal } from "./encodings";
import {
  ACCESS_LIST,
  AUTHORIZATION_LIST,
  BASE_FEE_PER_GAS,
  BLOB_GAS_USED,
  BLOB_VERSIONED_HASHES,
  CHAIN_ID,
  CONTRACT_ADDRESS,
  CUMULATIVE_GAS_USED,
  EFFECTIVE_GAS_PRICE,
  FROM,
  GAS_PRICE,
  GAS_USED,
  HASH,
  LOG_INDEX,
  MAX_FEE_PER_BLOB_GAS,
  MAX_FEE_PER_GAS,
  MAX_PRIORITY_FEE_PER_GAS,
  NONCE,
  RECEIPTS_ROOT,
  ROOT,
  SHA3_UNCLES,
  STATUS,
  TO,
  TRANSACTIONS_ROOT,
  UNCLES,
  V,
  WITHDRAWALS,
  WITHDRAWALS_ROOT,
  Y_PARITY,
} from "./fields";
import { decodeWithin, number } from "./hex";
import {
  logAt,
  logCount,
  nodeBehind,
  receiptAt,
  receiptCount,
  transactionAt,
  transactionCount,
} from "./json";
import { HASH_AT, leaveUnless, PROOF, SCRATCH_AT, take } from "./memory";
import { countOf, digitsOf, isEqual, isNull, lengthOf, numberIn, valueAt } from "./object";
import { closeList, hashSince, isHash, mark, startRlp, truncate, writeBytes, writeQuantity } from "./rlp";
import { hashList } from "./trie";

const INDEXES: u32 = 1;
const GAS: u32 = 1 << 1;
const LOGS_BLOOM: u32 = 1 << 2;
const HEADER_HASH: u32 = 1 << 3;
const UNCLES_THERE: u32 = 1 << 4;
const TRANSACTION_HASHES: u32 = 1 << 5;
const ROOT_OF_TRANSACTIONS: u32 = 1 << 6;
const ROOT_OF_RECEIPTS: u32 = 1 << 7;
const ROOT_OF_WITHDRAWALS: u32 = 1 << 8;
const BLOB_GAS: u32 = 1 << 9;
const PRICES: u32 = 1 << 10;
const CONTRACT_ADDRESSES: u32 = 1 << 11;

/** Gas of one blob (EIP-4844, GAS_PER_BLOB). */
const GAS_PER_BLOB: u64 = 131_072;

let checks: u32 = 0;
let withdrawals: usize = 0;
/** Two numbers of 256 bits, as four of 64 each, lowest first, and their sum. */
let wide: usize = 0;

/** Makes the checks whose bits are set. `bytes`: of the two answers. */
export function makeChecks(header: usize, made: u32, chainId: u64, bytes: usize): void {
  checks = made;
  if (has(INDEXES)) checkIndexes();
  if (has(GAS)) checkGas(header);
  if (has(LOGS_BLOOM)) checkBlooms(header);
  if (has(UNCLES_THERE)) checkUncles(header);
  if (has(BLOB_GAS)) checkBlobGas(header);
  if (has(PRICES)) checkPrices(header);
  if (has(TRANSACTION_HASHES)) {
    for (let i: u32 = 0; i < transactionCount; i++) checkUnhashedFields(transactionAt(i), chainId);
  }
  if (has(ROOT_OF_WITHDRAWALS)) listWithdrawals(header);
  // From here on nothing is taken: what is written lies behind it. An item is at most as long as it is in hex.
  startRlp(bytes + 0x10000);
  if (has(HEADER_HASH)) checkHash(header);
  if (has(ROOT_OF_TRANSACTIONS)) {
    hashList(transactionCount, writeTransactionItem);
    leaveUnless(isHash(digitsOf(header, TRANSACTIONS_ROOT)), PROOF);
  } else if (has(TRANSACTION_HASHES)) checkTransactionHashes();
  if (has(ROOT_OF_RECEIPTS)) {
    hashList(receiptCount, writeReceiptItem);
    leaveUnless(isHash(digitsOf(header, RECEIPTS_ROOT)), PROOF);
  }
  if (has(ROOT_OF_WITHDRAWALS)) checkWithdrawalsRoot(header);
  if (has(CONTRACT_ADDRESSES)) checkContractAddresses();
}

function has(check: u32): bool {
  return (checks & check) !== 0;
}

/** That each log names its transaction was checked with its shape. */
function checkIndexes(): void {
  for (let i: u32 = 0; i < logCount; i++) leaveUnless(numberIn(logAt(i), LOG_INDEX) === (i as u64), PROOF);
}

function checkGas(header: usize): void {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < receiptCount; i++) {
    const receipt = receiptAt(i);
    const before = sum;
    sum += numberIn(receipt, GAS_USED);
    leaveUnless(sum >= before && numberIn(receipt, CUMULATIVE_GAS_USED) === sum, PROOF);
  }
  leaveUnless(numberIn(header, GAS_USED) === sum, PROOF);
}

/** Keccak-256 of the empty list: 0x1dcc4de8..., eight bytes at a time as they lie in memory. */
const EMPTY_UNCLES = memory.data<u8>([
  0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a, 0xab, 0x85, 0xb5, 0x67, 0xb6, 0xcc, 0xd4, 0x1a, 0xd3, 0x12,
  0x45, 0x1b, 0x94, 0x8a, 0x74, 0x13, 0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47,
]);

function checkUncles(header: usize): void {
  decodeWithin(digitsOf(header, SHA3_UNCLES), 32, SCRATCH_AT);
  let none = true;
  for (let i: usize = 0; i < 32; i++)
    if (load<u8>(SCRATCH_AT + i) !== load<u8>(EMPTY_UNCLES + i)) none = false;
  leaveUnless((lengthOf(header, UNCLES) === 0) === none, PROOF);
}

function checkBlobGas(header: usize): void {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < transactionCount; i++) {
    const transaction = transactionAt(i);
    const receipt = receiptAt(i);
    const isBlob = typeOf(transaction) === 3;
    const used: u64 = isBlob ? GAS_PER_BLOB * (lengthOf(transaction, BLOB_VERSIONED_HASHES) as u64) : 0;
    sum += used;
    if (isNull(receipt, BLOB_GAS_USED)) leaveUnless(!isBlob, PROOF);
    else leaveUnless(numberIn(receipt, BLOB_GAS_USED) === used, PROOF);
  }
  const told = isNull(header, BLOB_GAS_USED) ? 0 : numberIn(header, BLOB_GAS_USED);
  leaveUnless(told === sum, PROOF);
}

/** What was paid per gas follows from what was signed and the base fee (EIP-1559). */
function checkPrices(header: usize): void {
  wide = take(96);
  for (let i: u32 = 0; i < transactionCount; i++) {
    const transaction = transactionAt(i);
    const receipt = receiptAt(i);
    if (typeOf(transaction) < 2) {
      if (isNull(transaction, GAS_PRICE) || isNull(receipt, EFFECTIVE_GAS_PRICE)) continue;
      leaveUnless(isEqual(receipt, EFFECTIVE_GAS_PRICE, transaction, GAS_PRICE), PROOF);
      continue;
    }
    if (
      isNull(header, BASE_FEE_PER_GAS) ||
      isNull(transaction, MAX_FEE_PER_GAS) ||
      isNull(transaction, MAX_PRIORITY_FEE_PER_GAS)
    )
      continue;
    findPaid(header, transaction);
    if (!isNull(receipt, EFFECTIVE_GAS_PRICE)) leaveUnless(isPaid(receipt, EFFECTIVE_GAS_PRICE), PROOF);
    if (isNull(transaction, GAS_PRICE) || isPaid(transaction, GAS_PRICE)) continue;
    leaveUnless(isEqual(transaction, GAS_PRICE, transaction, MAX_FEE_PER_GAS), PROOF);
  }
}

/** The base fee and the tip, but not more than the fee cap. */
function findPaid(header: usize, transaction: usize): void {
  readWide(header, BASE_FEE_PER_GAS, wide);
  readWide(transaction, MAX_PRIORITY_FEE_PER_GAS, wide + 32);
  let carry: u64 = 0;
  for (let i: usize = 0; i < 32; i += 8) {
    const a = load<u64>(wide + i);
    const b = load<u64>(wide + 32 + i);
    const sum = a + b;
    const whole = sum + carry;
    carry = ((sum < a) as u64) | ((whole < sum) as u64);
    store<u64>(wide + 64 + i, whole);
  }
  readWide(transaction, MAX_FEE_PER_GAS, wide);
  if (carry !== 0 || compareWide(wide, wide + 64) < 0) memory.copy(wide + 64, wide, 32);
}

function isPaid(object: usize, field: i32): bool {
  readWide(object, field, wide);
  return compareWide(wide, wide + 64) === 0;
}

function readWide(object: usize, field: i32, to: usize): void {
  const digits = digitsOf(object, field);
  let count = countOf(object, field);
  for (let i: usize = 0; i < 32; i += 8) {
    const taken = min<usize>(count, 16);
    count -= taken;
    store<u64>(to + i, number(digits + count, taken));
  }
}

function compareWide(a: usize, b: usize): i32 {
  for (let i: isize = 24; i >= 0; i -= 8) {
    const left = load<u64>(a + (i as usize));
    const right = load<u64>(b + (i as usize));
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Fields that a transaction's hash does not cover must not contradict those that it does. */
function checkUnhashedFields(transaction: usize, chainId: u64): void {
  const type = typeOf(transaction);
  if (type === 0) {
    if (!isNull(transaction, V)) checkLegacySignature(transaction, chainId);
    expectEmpty(transaction, ACCESS_LIST);
  } else if (!isNull(transaction, Y_PARITY) && !isNull(transaction, V)) {
    expectValue(transaction, V, numberIn(transaction, Y_PARITY));
  }
  if (type <= 1) {
    expectGasPrice(transaction, MAX_FEE_PER_GAS);
    expectGasPrice(transaction, MAX_PRIORITY_FEE_PER_GAS);
  }
  if (type !== 3) {
    if (!isNull(transaction, MAX_FEE_PER_BLOB_GAS)) expectValue(transaction, MAX_FEE_PER_BLOB_GAS, 0);
    expectEmpty(transaction, BLOB_VERSIONED_HASHES);
  }
  if (type !== 4) expectEmpty(transaction, AUTHORIZATION_LIST);
}

/** EIP-155: `v` holds the chain's id. Where it does not, some nodes name the chain that they serve, or 0. */
function checkLegacySignature(transaction: usize, served: u64): void {
  leaveUnless(countOf(transaction, V) <= 16, PROOF);
  const v = numberIn(transaction, V);
  const signed = v >= 35;
  if (!isNull(transaction, CHAIN_ID)) {
    leaveUnless(countOf(transaction, CHAIN_ID) <= 16, PROOF);
    const told = numberIn(transaction, CHAIN_ID);
    leaveUnless(signed ? told === (v - 35) / 2 : told === served || told === 0, PROOF);
  }
  if (!isNull(transaction, Y_PARITY)) {
    leaveUnless(numberIn(transaction, Y_PARITY) === ((signed ? v - 35 : v - 27) & 1), PROOF);
  }
}

function expectEmpty(transaction: usize, list: i32): void {
  leaveUnless(lengthOf(transaction, list) === 0, PROOF);
}

function expectGasPrice(transaction: usize, field: i32): void {
  if (!isNull(transaction, field)) leaveUnless(isEqual(transaction, field, transaction, GAS_PRICE), PROOF);
}

function expectValue(transaction: usize, field: i32, value: u64): void {
  leaveUnless(countOf(transaction, field) <= 16 && numberIn(transaction, field) === value, PROOF);
}

function checkHash(header: usize): void {
  const since = mark();
  writeHeader(header);
  hashSince(since);
  truncate(since);
  leaveUnless(isHash(digitsOf(header, HASH)), PROOF);
}

function checkTransactionHashes(): void {
  for (let i: u32 = 0; i < transactionCount; i++) {
    const since = mark();
    writeTransactionItem(i);
    truncate(since);
  }
}

/** Writes a transaction, and compares its hash while it is there. */
function writeTransactionItem(index: u32): void {
  const transaction = transactionAt(index);
  const since = mark();
  writeTransaction(transaction);
  if (!has(TRANSACTION_HASHES)) return;
  hashSince(since);
  leaveUnless(isHash(digitsOf(transaction, HASH)), PROOF);
}

function writeReceiptItem(index: u32): void {
  const receipt = receiptAt(index);
  leaveUnless(isNull(receipt, STATUS) || isNull(receipt, ROOT), PROOF);
  writeReceipt(receipt, typeOf(transactionAt(index)));
}

/** By their place, as the trie wants them. */
function listWithdrawals(header: usize): void {
  const count = lengthOf(header, WITHDRAWALS);
  withdrawals = take(4 * count);
  let withdrawal = valueAt(header, WITHDRAWALS);
  for (let i: usize = 0; i < count; i++) {
    store<u32>(withdrawals + 4 * i, withdrawal as u32);
    withdrawal = nodeBehind(withdrawal);
  }
}

function writeWithdrawalItem(index: u32): void {
  writeWithdrawal(load<u32>(withdrawals + 4 * (index as usize)) as usize);
}

/** EIP-4895. A node that sends no list where the root is that of an empty one means the same. */
function checkWithdrawalsRoot(header: usize): void {
  const count = lengthOf(header, WITHDRAWALS);
  if (isNull(header, WITHDRAWALS_ROOT)) {
    leaveUnless(count === 0, PROOF);
    return;
  }
  hashList(count as u32, writeWithdrawalItem);
  leaveUnless(isHash(digitsOf(header, WITHDRAWALS_ROOT)), PROOF);
}

/** A creation's address follows from sender and nonce (yellow paper, section 7); nothing else has one. */
function checkContractAddresses(): void {
  for (let i: u32 = 0; i < transactionCount; i++) {
    const transaction = transactionAt(i);
    const receipt = receiptAt(i);
    const isCreation = isNull(transaction, TO);
    if (isNull(receipt, CONTRACT_ADDRESS)) {
      const succeeded = !isNull(receipt, STATUS) && numberIn(receipt, STATUS) === 1;
      leaveUnless(!isCreation || !succeeded, PROOF);
      continue;
    }
    leaveUnless(isCreation, PROOF);
    const since = mark();
    writeQuantity(transaction, NONCE);
    writeBytes(transaction, FROM);
    closeList(since);
    hashSince(since);
    truncate(since);
    decodeWithin(digitsOf(receipt, CONTRACT_ADDRESS), 20, SCRATCH_AT);
    for (let j: usize = 0; j < 20; j++) {
      leaveUnless(load<u8>(SCRATCH_AT + j) === load<u8>(HASH_AT + 12 + j), PROOF);
    }
  }
}
