import type { AccessListEntry, Authorization, Hex, Quantity, Receipt, Transaction } from "../../block.js";
import type { AnswerObject } from "./answer-object.js";

const MAX_ACCESS_LIST = 100_000;
const MAX_AUTHORIZATIONS = 100_000;
const MAX_BLOBS = 10_000;

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  "hash",
  "type",
  "from",
  "to",
  "nonce",
  "value",
  "gas",
  "gasPrice",
  "maxFeePerGas",
  "maxPriorityFeePerGas",
  "input",
  "accessList",
  "chainId",
  "maxFeePerBlobGas",
  "blobVersionedHashes",
  "authorizationList",
  "r",
  "s",
  "v",
  "yParity",
  // Said by the block, or twice.
  "transactionIndex",
  "blockHash",
  "blockNumber",
  "blockTimestamp",
  "data",
]);

/** Where a transaction stands, as it says itself. */
export interface TransactionPlace {
  blockHash: Hex;
  blockNumberHex: Quantity;
  index: number;
  indexHex: Quantity;
}

/**
 * One transaction of a block. A type that is not Ethereum's keeps the fields that all types have, and
 * the rest in `extra`. Throws BadResponseError, also if it says that it is of another block or place.
 */
export function parseTransaction(
  raw: AnswerObject,
  place: TransactionPlace,
  readReceipt: (hash: Hex) => Receipt,
): Transaction {
  raw.expectQuantity("transactionIndex", place.indexHex);
  raw.expectWord("blockHash", place.blockHash);
  raw.expectQuantity("blockNumber", place.blockNumberHex);
  const hash = raw.bytes("hash", 32);
  return {
    transactionIndex: place.index,
    hash,
    // Nodes from before EIP-2718 know one type and do not name it.
    type: raw.integerOrNull("type", 255) ?? 0,
    from: raw.bytes("from", 20),
    to: raw.bytesOrNull("to", 20),
    nonce: raw.quantity("nonce", 64),
    value: raw.quantity("value", 256),
    gas: raw.quantity("gas", 64),
    gasPrice: raw.quantityOrNull("gasPrice", 256),
    maxFeePerGas: raw.quantityOrNull("maxFeePerGas", 256),
    maxPriorityFeePerGas: raw.quantityOrNull("maxPriorityFeePerGas", 256),
    input: raw.data("input"),
    accessList: raw.objectsOrNull("accessList", MAX_ACCESS_LIST, parseAccessListEntry),
    chainId: raw.quantityOrNull("chainId", 256),
    maxFeePerBlobGas: raw.quantityOrNull("maxFeePerBlobGas", 256),
    blobVersionedHashes: raw.wordsOrNull("blobVersionedHashes", MAX_BLOBS),
    authorizationList: raw.objectsOrNull("authorizationList", MAX_AUTHORIZATIONS, parseAuthorization),
    r: raw.quantityOrNull("r", 256),
    s: raw.quantityOrNull("s", 256),
    v: raw.quantityOrNull("v", 256),
    yParity: raw.integerOrNull("yParity", 1),
    extra: raw.extra(KNOWN_FIELDS),
    receipt: readReceipt(hash),
  };
}

function parseAccessListEntry(raw: AnswerObject): AccessListEntry {
  return { address: raw.bytes("address", 20), storageKeys: raw.words("storageKeys", MAX_ACCESS_LIST) };
}

function parseAuthorization(raw: AnswerObject): Authorization {
  return {
    chainId: raw.quantity("chainId", 256),
    address: raw.bytes("address", 20),
    nonce: raw.quantity("nonce", 64),
    yParity: raw.quantity("yParity", 8),
    r: raw.quantity("r", 256),
    s: raw.quantity("s", 256),
  };
}
