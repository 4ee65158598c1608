// The checks of the long way (src/chain/verify), by the same names and in the same order. Which of them are made is told
// by a bit each; one that does not hold sends the block the long way, where the error says which, and why.

import { checkBlooms } from "./bloom";
import { writeHeader, writeReceipt, writeTransaction, writeWithdrawal } from "./generated/encodings";
import {
  BASE_FEE_PER_GAS,
  BLOB_GAS_PRICE,
  BLOB_GAS_USED,
  BLOB_VERSIONED_HASHES,
  CONTRACT_ADDRESS,
  CUMULATIVE_GAS_USED,
  EFFECTIVE_GAS_PRICE,
  FROM,
  GAS_PRICE,
  GAS_USED,
  HASH,
  LOG_INDEX,
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
  WITHDRAWALS,
  WITHDRAWALS_ROOT,
} from "./generated/fields";
import {
  CHECK_BLOB_GAS,
  CHECK_CONTRACT_ADDRESSES,
  CHECK_GAS,
  CHECK_HASH,
  CHECK_INDEXES,
  CHECK_LOGS_BLOOM,
  CHECK_PRICES,
  CHECK_RECEIPTS_ROOT,
  CHECK_TRANSACTION_HASHES,
  CHECK_TRANSACTIONS_ROOT,
  CHECK_UNCLES,
  CHECK_WITHDRAWALS_ROOT,
  LEFT_PROOF,
} from "./generated/layout";
import { hasBlobVersionedHashes, hasGasPrice } from "./generated/types";
import { decodeWithin, digitOf, number } from "./hex";
import {
  logAt,
  logCount,
  nodeBehind,
  receiptAt,
  receiptCount,
  transactionAt,
  transactionCount,
} from "./json";
import { HASH_AT, leaveUnless, SCRATCH_AT, take } from "./memory";
import { countOf, digitsOf, isEqual, isNull, lengthOf, numberIn, renote, valueAt } from "./object";
import { closeList, hashSince, isHash, mark, startRlp, truncate, writeBytes, writeQuantity } from "./rlp";
import { typeOf } from "./signature";
import { itemBytes, listBytes, noteSize, SIZE_LENGTH } from "./size";
import { hashList } from "./trie";
import { checkUnhashedFields } from "./unhashed";

/** Gas of one blob (EIP-4844, GAS_PER_BLOB). */
const GAS_PER_BLOB: u64 = 131_072;

let checks: u32 = 0;
/** Nothing that is missing is put in its place. */
let asItIs: bool = false;
let withdrawals: usize = 0;
/** Two numbers of 256 bits, as four of 64 each, lowest first, and their sum. */
let wide: usize = 0;

/**
 * Makes the checks whose bits are set, and returns those of what the block has. `bytes`: of the two answers. `given`: the
 * block is checked as it is, and nothing of it is put right. `blobPrice`: of a blob's gas; 0: it is not known.
 */
export function makeChecks(
  header: usize,
  made: u32,
  given: bool,
  chainId: u64,
  blobPrice: f64,
  bytes: usize,
): u32 {
  asItIs = given;
  checks = made;
  transactionBytes = 0;
  withdrawalBytes = 0;
  if (has(CHECK_INDEXES)) checkIndexes();
  if (has(CHECK_GAS)) checkGas(header);
  if (has(CHECK_LOGS_BLOOM)) checkBlooms(header);
  if (has(CHECK_UNCLES)) checkUncles(header);
  if (has(CHECK_BLOB_GAS)) checkBlobGas(header, blobPrice);
  if (has(CHECK_PRICES)) checkPrices(header);
  if (has(CHECK_TRANSACTION_HASHES)) {
    for (let i: u32 = 0; i < transactionCount; i++)
      checkUnhashedFields(transactionAt(i), receiptAt(i), chainId);
  }
  if (has(CHECK_WITHDRAWALS_ROOT)) listWithdrawals(header);
  if (has(CHECK_CONTRACT_ADDRESSES)) takeContractAddresses();
  const sizeText = take(SIZE_LENGTH);
  // From here on nothing is taken: what is written lies behind it. An item is at most as long as it is in hex.
  startRlp(bytes + 0x10000);
  if (has(CHECK_HASH)) checkHash(header);
  if (has(CHECK_TRANSACTIONS_ROOT)) {
    hashList(transactionCount, writeTransactionItem);
    leaveUnless(isHash(digitsOf(header, TRANSACTIONS_ROOT)), LEFT_PROOF);
  } else if (has(CHECK_TRANSACTION_HASHES)) checkTransactionHashes();
  if (has(CHECK_RECEIPTS_ROOT)) {
    hashList(receiptCount, writeReceiptItem);
    leaveUnless(isHash(digitsOf(header, RECEIPTS_ROOT)), LEFT_PROOF);
  }
  if (has(CHECK_WITHDRAWALS_ROOT)) checkWithdrawalsRoot(header);
  if (has(CHECK_CONTRACT_ADDRESSES)) checkContractAddresses();
  if (isSizeProven(header)) noteSize(header, sizeOf(header), sizeText);
  if (isNull(header, WITHDRAWALS_ROOT)) made &= ~CHECK_WITHDRAWALS_ROOT;
  if (isNull(header, BLOB_GAS_USED)) made &= ~CHECK_BLOB_GAS;
  return made;
}

/** Bytes of what was written of the block: its header, its transactions, its withdrawals. */
let headerBytes: usize = 0;
let transactionBytes: usize = 0;
let withdrawalBytes: usize = 0;

/** Uncle headers are not fetched. */
function isSizeProven(header: usize): bool {
  const made = CHECK_HASH | CHECK_UNCLES | CHECK_TRANSACTIONS_ROOT | CHECK_WITHDRAWALS_ROOT;
  return (checks & made) === made && lengthOf(header, UNCLES) === 0;
}

function sizeOf(header: usize): usize {
  let bytes = headerBytes + listBytes(transactionBytes) + listBytes(0);
  if (!isNull(header, WITHDRAWALS_ROOT)) bytes += listBytes(withdrawalBytes);
  return listBytes(bytes);
}

function has(check: u32): bool {
  return (checks & check) !== 0;
}

/** That each log names its transaction was checked with its shape. */
function checkIndexes(): void {
  for (let i: u32 = 0; i < logCount; i++)
    leaveUnless(numberIn(logAt(i), LOG_INDEX) === (i as u64), LEFT_PROOF);
}

function checkGas(header: usize): void {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < receiptCount; i++) {
    const receipt = receiptAt(i);
    const before = sum;
    sum += numberIn(receipt, GAS_USED);
    leaveUnless(sum >= before && numberIn(receipt, CUMULATIVE_GAS_USED) === sum, LEFT_PROOF);
  }
  leaveUnless(numberIn(header, GAS_USED) === sum, LEFT_PROOF);
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
  leaveUnless((lengthOf(header, UNCLES) === 0) === none, LEFT_PROOF);
}

function checkBlobGas(header: usize, price: f64): void {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < transactionCount; i++) {
    const transaction = transactionAt(i);
    const receipt = receiptAt(i);
    const isBlob = hasBlobVersionedHashes(typeOf(transaction));
    const used: u64 = isBlob ? GAS_PER_BLOB * (lengthOf(transaction, BLOB_VERSIONED_HASHES) as u64) : 0;
    sum += used;
    if (isNull(receipt, BLOB_GAS_USED)) leaveUnless(!isBlob, LEFT_PROOF);
    else leaveUnless(numberIn(receipt, BLOB_GAS_USED) === used, LEFT_PROOF);
    if (isBlob && price !== 0) expectPrice(receipt, price);
  }
  const told = isNull(header, BLOB_GAS_USED) ? 0 : numberIn(header, BLOB_GAS_USED);
  leaveUnless(told === sum, LEFT_PROOF);
}

/** A price that a double does not have goes the long way. */
function expectPrice(receipt: usize, price: f64): void {
  const isTold = !isNull(receipt, BLOB_GAS_PRICE) && countOf(receipt, BLOB_GAS_PRICE) <= 13;
  leaveUnless(isTold && (numberIn(receipt, BLOB_GAS_PRICE) as f64) === price, LEFT_PROOF);
}

/** What was paid per gas follows from what was signed and the base fee (EIP-1559). The long way derives what is missing. */
function checkPrices(header: usize): void {
  wide = take(96);
  for (let i: u32 = 0; i < transactionCount; i++) {
    const transaction = transactionAt(i);
    const receipt = receiptAt(i);
    if (hasGasPrice(typeOf(transaction))) {
      leaveUnless(isEqual(receipt, EFFECTIVE_GAS_PRICE, transaction, GAS_PRICE), LEFT_PROOF);
      continue;
    }
    if (
      isNull(header, BASE_FEE_PER_GAS) ||
      isNull(transaction, MAX_FEE_PER_GAS) ||
      isNull(transaction, MAX_PRIORITY_FEE_PER_GAS)
    )
      continue;
    findPaid(header, transaction);
    leaveUnless(isPaid(receipt, EFFECTIVE_GAS_PRICE) && isPaid(transaction, GAS_PRICE), LEFT_PROOF);
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
  if (isNull(object, field)) return false;
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

function checkHash(header: usize): void {
  const since = mark();
  writeHeader(header);
  headerBytes = since - mark();
  hashSince(since);
  truncate(since);
  leaveUnless(isHash(digitsOf(header, HASH)), LEFT_PROOF);
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
  transactionBytes += itemBytes(since - mark(), typeOf(transaction));
  if (!has(CHECK_TRANSACTION_HASHES)) return;
  hashSince(since);
  leaveUnless(isHash(digitsOf(transaction, HASH)), LEFT_PROOF);
}

function writeReceiptItem(index: u32): void {
  const receipt = receiptAt(index);
  leaveUnless(isNull(receipt, STATUS) || isNull(receipt, ROOT), LEFT_PROOF);
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
  const since = mark();
  writeWithdrawal(load<u32>(withdrawals + 4 * (index as usize)) as usize);
  withdrawalBytes += since - mark();
}

/** EIP-4895. A node that sends no list where the root is that of an empty one means the same. */
function checkWithdrawalsRoot(header: usize): void {
  const count = lengthOf(header, WITHDRAWALS);
  if (isNull(header, WITHDRAWALS_ROOT)) {
    leaveUnless(count === 0, LEFT_PROOF);
    return;
  }
  hashList(count as u32, writeWithdrawalItem);
  leaveUnless(isHash(digitsOf(header, WITHDRAWALS_ROOT)), LEFT_PROOF);
}

/** "0x" and its digits. */
const ADDRESS_LENGTH: usize = 42;
/** Room for the texts of addresses that a node does not tell. */
let addresses: usize = 0;

function takeContractAddresses(): void {
  let missing: usize = 0;
  for (let i: u32 = 0; i < transactionCount; i++)
    if (isNull(transactionAt(i), TO) && isNull(receiptAt(i), CONTRACT_ADDRESS)) missing += 1;
  addresses = take(ADDRESS_LENGTH * missing);
}

/** Some nodes name none where the creation failed: it has the one that was just hashed. */
function noteAddress(receipt: usize): void {
  leaveUnless(!asItIs, LEFT_PROOF);
  store<u16>(addresses, 0x7830); // 0x
  for (let i: usize = 0; i < 20; i++) {
    const byte = load<u8>(HASH_AT + 12 + i);
    store<u8>(addresses + 2 + 2 * i, digitOf(byte >> 4));
    store<u8>(addresses + 3 + 2 * i, digitOf(byte & 15));
  }
  renote(receipt, CONTRACT_ADDRESS, addresses, ADDRESS_LENGTH);
  addresses += ADDRESS_LENGTH;
}

/** A creation's address follows from sender and nonce (yellow paper, section 7); nothing else has one. */
function checkContractAddresses(): void {
  for (let i: u32 = 0; i < transactionCount; i++) {
    const transaction = transactionAt(i);
    const receipt = receiptAt(i);
    const isCreation = isNull(transaction, TO);
    if (!isCreation) {
      leaveUnless(isNull(receipt, CONTRACT_ADDRESS), LEFT_PROOF);
      continue;
    }
    const since = mark();
    writeQuantity(transaction, NONCE);
    writeBytes(transaction, FROM);
    closeList(since);
    hashSince(since);
    truncate(since);
    if (isNull(receipt, CONTRACT_ADDRESS)) {
      noteAddress(receipt);
      continue;
    }
    decodeWithin(digitsOf(receipt, CONTRACT_ADDRESS), 20, SCRATCH_AT);
    for (let j: usize = 0; j < 20; j++) {
      leaveUnless(load<u8>(SCRATCH_AT + j) === load<u8>(HASH_AT + 12 + j), LEFT_PROOF);
    }
  }
}
