// The fields of a node's answer by number, and of which kind of object each is a field.
//
// What the parser of the long way calls known is known here (src/chain/parse): a field that is not goes to a
// block's `extra`, and such a block the long way.

import { NAMES_AT, NAMES_BYTES, SCRATCH_AT } from "./memory";

// In the order of the objects, smallest first: an object has a slot for each number up to its last one.
export const BLOCK_HASH: i32 = 1;
export const BLOCK_NUMBER: i32 = 2;
export const TRANSACTION_HASH: i32 = 3;
export const TRANSACTION_INDEX: i32 = 4;
export const ADDRESS: i32 = 5;
export const DATA: i32 = 6;
export const LOG_INDEX: i32 = 7;
export const TOPICS: i32 = 8;
export const REMOVED: i32 = 9;
export const BLOCK_TIMESTAMP: i32 = 10;
export const STATUS: i32 = 11;
export const ROOT: i32 = 12;
export const GAS_USED: i32 = 13;
export const CUMULATIVE_GAS_USED: i32 = 14;
export const EFFECTIVE_GAS_PRICE: i32 = 15;
export const CONTRACT_ADDRESS: i32 = 16;
export const BLOB_GAS_USED: i32 = 17;
export const BLOB_GAS_PRICE: i32 = 18;
export const LOGS_BLOOM: i32 = 19;
export const LOGS: i32 = 20;
export const FROM: i32 = 21;
export const TO: i32 = 22;
export const TYPE: i32 = 23;
export const HASH: i32 = 24;
export const NONCE: i32 = 25;
export const VALUE_SENT: i32 = 26;
export const GAS: i32 = 27;
export const GAS_PRICE: i32 = 28;
export const MAX_FEE_PER_GAS: i32 = 29;
export const MAX_PRIORITY_FEE_PER_GAS: i32 = 30;
export const INPUT: i32 = 31;
export const ACCESS_LIST: i32 = 32;
export const CHAIN_ID: i32 = 33;
export const MAX_FEE_PER_BLOB_GAS: i32 = 34;
export const BLOB_VERSIONED_HASHES: i32 = 35;
export const AUTHORIZATION_LIST: i32 = 36;
export const R: i32 = 37;
export const S: i32 = 38;
export const V: i32 = 39;
export const Y_PARITY: i32 = 40;
export const NUMBER: i32 = 41;
export const PARENT_HASH: i32 = 42;
export const TIMESTAMP: i32 = 43;
export const MINER: i32 = 44;
export const GAS_LIMIT: i32 = 45;
export const BASE_FEE_PER_GAS: i32 = 46;
export const DIFFICULTY: i32 = 47;
export const TOTAL_DIFFICULTY: i32 = 48;
export const SIZE: i32 = 49;
export const EXTRA_DATA: i32 = 50;
export const STATE_ROOT: i32 = 51;
export const TRANSACTIONS_ROOT: i32 = 52;
export const RECEIPTS_ROOT: i32 = 53;
export const SHA3_UNCLES: i32 = 54;
export const UNCLES: i32 = 55;
export const MIX_HASH: i32 = 56;
export const WITHDRAWALS_ROOT: i32 = 57;
export const EXCESS_BLOB_GAS: i32 = 58;
export const PARENT_BEACON_BLOCK_ROOT: i32 = 59;
export const REQUESTS_HASH: i32 = 60;
export const TRANSACTIONS: i32 = 61;
export const WITHDRAWALS: i32 = 62;
export const INDEX: i32 = 63;
export const VALIDATOR_INDEX: i32 = 64;
export const AMOUNT: i32 = 65;
export const STORAGE_KEYS: i32 = 66;
export const JSONRPC: i32 = 67;
export const ID: i32 = 68;
export const RESULT: i32 = 69;
const FIELDS: i32 = 70;

// Kinds of objects.
export const LOG: i32 = 0;
export const RECEIPT: i32 = 1;
export const TRANSACTION: i32 = 2;
export const HEADER: i32 = 3;
export const WITHDRAWAL: i32 = 4;
export const ACCESS_ENTRY: i32 = 5;
export const AUTHORIZATION: i32 = 6;
/** An answer whose result is a block, and one whose result is a list of receipts. */
export const BLOCK_ANSWER: i32 = 7;
export const RECEIPTS_ANSWER: i32 = 8;

/** A slot is where a value's text begins, and its length. */
export const SLOT_BYTES: usize = 8;

/** Bytes of an object with its slots. */
export function bytesOf(kind: i32): usize {
  if (kind === LOG) return 11 * SLOT_BYTES;
  if (kind === RECEIPT) return 24 * SLOT_BYTES;
  if (kind === TRANSACTION) return 41 * SLOT_BYTES;
  if (kind === HEADER) return 63 * SLOT_BYTES;
  return (FIELDS as usize) * SLOT_BYTES;
}

// A hash table of names, with open addressing: which field is at a place. Behind it each name's length, and three words of
// its text: the first eight letters, the last eight, and those between; a name has at most 24. Behind them which kind
// knows which field.
const TABLE_PLACES: u32 = 1024;
const NAME_BYTES: usize = 32;
const MOST_LETTERS: usize = 24;
const NAMED_AT: usize = NAMES_AT + (TABLE_PLACES as usize);
const KNOWN_AT: usize = NAMED_AT + (FIELDS as usize) * NAME_BYTES;

/** The first eight letters; those of a shorter name, and zeros. */
function firstOf(name: usize, length: usize): u64 {
  const letters = load<u64>(name);
  return length >= 8 ? letters : letters & (((1 as u64) << ((length as u64) * 8)) - 1);
}

/** The last eight letters of a name that has more. */
function lastOf(name: usize, length: usize): u64 {
  return length > 8 ? load<u64>(name + length - 8) : 0;
}

/** The eight letters behind the first of a name that has more than sixteen. */
function middleOf(name: usize, length: usize): u64 {
  return length > 16 ? load<u64>(name, 8) : 0;
}

function placeOf(first: u64, last: u64): u32 {
  return (((first ^ rotl<u64>(last, 23)) * 0x9e3779b97f4a7c15) >> 54) as u32;
}

/** The field of this name; 0: there is none. */
export function fieldNamed(name: usize, length: usize): i32 {
  if (length > MOST_LETTERS) return 0;
  const first = firstOf(name, length);
  const last = lastOf(name, length);
  let place = placeOf(first, last);
  for (;;) {
    const field = load<u8>(NAMES_AT + (place as usize)) as i32;
    if (field === 0) break;
    const named = NAMED_AT + (field as usize) * NAME_BYTES;
    if (
      load<u64>(named, 8) === first &&
      load<u64>(named, 16) === last &&
      (load<u32>(named) as usize) === length &&
      load<u64>(named, 24) === middleOf(name, length)
    )
      return field;
    place = (place + 1) & (TABLE_PLACES - 1);
  }
  return 0;
}

export function isKnown(kind: i32, field: i32): bool {
  return load<u8>(KNOWN_AT + ((kind * FIELDS + field) as usize)) !== 0;
}

/** Names a field, which objects of these kinds have (a bit each). */
function name(field: i32, text: string, kinds: i32): void {
  const letters = SCRATCH_AT;
  const length = text.length as usize;
  for (let i = 0; i < text.length; i++) store<u8>(letters + (i as usize), text.charCodeAt(i) as u8);
  const named = NAMED_AT + (field as usize) * NAME_BYTES;
  const first = firstOf(letters, length);
  const last = lastOf(letters, length);
  store<u32>(named, length as u32);
  store<u64>(named, first, 8);
  store<u64>(named, last, 16);
  store<u64>(named, middleOf(letters, length), 24);
  let place = placeOf(first, last);
  while (load<u8>(NAMES_AT + (place as usize)) !== 0) place = (place + 1) & (TABLE_PLACES - 1);
  store<u8>(NAMES_AT + (place as usize), field as u8);
  for (let kind = 0; kind <= RECEIPTS_ANSWER; kind++) {
    if ((kinds >> kind) & 1) store<u8>(KNOWN_AT + ((kind * FIELDS + field) as usize), 1);
  }
}

const inLog: i32 = 1 << LOG;
const inReceipt: i32 = 1 << RECEIPT;
const inTransaction: i32 = 1 << TRANSACTION;
const inHeader: i32 = 1 << HEADER;
const inWithdrawal: i32 = 1 << WITHDRAWAL;
const inEntry: i32 = 1 << ACCESS_ENTRY;
const inAuthorization: i32 = 1 << AUTHORIZATION;
const inAnswers: i32 = (1 << BLOCK_ANSWER) | (1 << RECEIPTS_ANSWER);

/** To be called once. */
export function nameFields(): void {
  memory.fill(NAMES_AT, 0, NAMES_BYTES);
  name(BLOCK_HASH, "blockHash", inLog | inReceipt | inTransaction);
  name(BLOCK_NUMBER, "blockNumber", inLog | inReceipt | inTransaction);
  name(TRANSACTION_HASH, "transactionHash", inLog | inReceipt);
  name(TRANSACTION_INDEX, "transactionIndex", inLog | inReceipt | inTransaction);
  name(ADDRESS, "address", inLog | inWithdrawal | inEntry | inAuthorization);
  name(DATA, "data", inLog | inTransaction);
  name(LOG_INDEX, "logIndex", inLog);
  name(TOPICS, "topics", inLog);
  name(REMOVED, "removed", inLog);
  name(BLOCK_TIMESTAMP, "blockTimestamp", inLog | inReceipt | inTransaction);
  name(STATUS, "status", inReceipt);
  name(ROOT, "root", inReceipt);
  name(GAS_USED, "gasUsed", inReceipt | inHeader);
  name(CUMULATIVE_GAS_USED, "cumulativeGasUsed", inReceipt);
  name(EFFECTIVE_GAS_PRICE, "effectiveGasPrice", inReceipt);
  name(CONTRACT_ADDRESS, "contractAddress", inReceipt);
  name(BLOB_GAS_USED, "blobGasUsed", inReceipt | inHeader);
  name(BLOB_GAS_PRICE, "blobGasPrice", inReceipt);
  name(LOGS_BLOOM, "logsBloom", inReceipt | inHeader);
  name(LOGS, "logs", inReceipt);
  name(FROM, "from", inReceipt | inTransaction);
  name(TO, "to", inReceipt | inTransaction);
  name(TYPE, "type", inReceipt | inTransaction);
  name(HASH, "hash", inTransaction | inHeader);
  name(NONCE, "nonce", inTransaction | inHeader | inAuthorization);
  name(VALUE_SENT, "value", inTransaction);
  name(GAS, "gas", inTransaction);
  name(GAS_PRICE, "gasPrice", inTransaction);
  name(MAX_FEE_PER_GAS, "maxFeePerGas", inTransaction);
  name(MAX_PRIORITY_FEE_PER_GAS, "maxPriorityFeePerGas", inTransaction);
  name(INPUT, "input", inTransaction);
  name(ACCESS_LIST, "accessList", inTransaction);
  name(CHAIN_ID, "chainId", inTransaction | inAuthorization);
  name(MAX_FEE_PER_BLOB_GAS, "maxFeePerBlobGas", inTransaction);
  name(BLOB_VERSIONED_HASHES, "blobVersionedHashes", inTransaction);
  name(AUTHORIZATION_LIST, "authorizationList", inTransaction);
  name(R, "r", inTransaction | inAuthorization);
  name(S, "s", inTransaction | inAuthorization);
  name(V, "v", inTransaction);
  name(Y_PARITY, "yParity", inTransaction | inAuthorization);
  name(NUMBER, "number", inHeader);
  name(PARENT_HASH, "parentHash", inHeader);
  name(TIMESTAMP, "timestamp", inHeader);
  name(MINER, "miner", inHeader);
  name(GAS_LIMIT, "gasLimit", inHeader);
  name(BASE_FEE_PER_GAS, "baseFeePerGas", inHeader);
  name(DIFFICULTY, "difficulty", inHeader);
  name(TOTAL_DIFFICULTY, "totalDifficulty", inHeader);
  name(SIZE, "size", inHeader);
  name(EXTRA_DATA, "extraData", inHeader);
  name(STATE_ROOT, "stateRoot", inHeader);
  name(TRANSACTIONS_ROOT, "transactionsRoot", inHeader);
  name(RECEIPTS_ROOT, "receiptsRoot", inHeader);
  name(SHA3_UNCLES, "sha3Uncles", inHeader);
  name(UNCLES, "uncles", inHeader);
  name(MIX_HASH, "mixHash", inHeader);
  name(WITHDRAWALS_ROOT, "withdrawalsRoot", inHeader);
  name(EXCESS_BLOB_GAS, "excessBlobGas", inHeader);
  name(PARENT_BEACON_BLOCK_ROOT, "parentBeaconBlockRoot", inHeader);
  name(REQUESTS_HASH, "requestsHash", inHeader);
  name(TRANSACTIONS, "transactions", inHeader);
  name(WITHDRAWALS, "withdrawals", inHeader);
  name(INDEX, "index", inWithdrawal);
  name(VALIDATOR_INDEX, "validatorIndex", inWithdrawal);
  name(AMOUNT, "amount", inWithdrawal);
  name(STORAGE_KEYS, "storageKeys", inEntry);
  name(JSONRPC, "jsonrpc", inAnswers);
  name(ID, "id", inAnswers);
  name(RESULT, "result", inAnswers);
}
