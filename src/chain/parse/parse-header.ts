import type { Header } from "../../block.js";
import type { AnswerObject } from "./answer-object.js";

/** The last second that a timestamptz can hold, in the year 294276. */
export const MAX_TIMESTAMP = 9_224_318_015_999;

const MAX_UNCLES = 1_000;

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  "number",
  "hash",
  "parentHash",
  "timestamp",
  "miner",
  "gasLimit",
  "gasUsed",
  "baseFeePerGas",
  "difficulty",
  "totalDifficulty",
  "size",
  "extraData",
  "logsBloom",
  "stateRoot",
  "transactionsRoot",
  "receiptsRoot",
  "sha3Uncles",
  "uncles",
  "nonce",
  "mixHash",
  "withdrawalsRoot",
  "blobGasUsed",
  "excessBlobGas",
  "parentBeaconBlockRoot",
  "requestsHash",
  // The block's, not the header's.
  "transactions",
  "withdrawals",
]);

/** The header's fields of a block. Lenient exactly where the schema has null. Throws BadResponseError. */
export function parseHeader(block: AnswerObject): Header {
  return {
    number: block.integer("number", Number.MAX_SAFE_INTEGER),
    hash: block.bytes("hash", 32),
    parentHash: block.bytes("parentHash", 32),
    timestamp: block.integer("timestamp", MAX_TIMESTAMP),
    miner: block.bytes("miner", 20),
    gasLimit: block.quantity("gasLimit", 64),
    gasUsed: block.quantity("gasUsed", 64),
    baseFeePerGas: block.quantityOrNull("baseFeePerGas", 256),
    difficulty: block.quantityOrNull("difficulty", 256),
    totalDifficulty: block.quantityOrNull("totalDifficulty", 256),
    size: block.integerOrNull("size", Number.MAX_SAFE_INTEGER),
    extraData: block.data("extraData"),
    logsBloom: block.bytes("logsBloom", 256),
    stateRoot: block.bytes("stateRoot", 32),
    transactionsRoot: block.bytes("transactionsRoot", 32),
    receiptsRoot: block.bytes("receiptsRoot", 32),
    sha3Uncles: block.bytes("sha3Uncles", 32),
    uncles: block.words("uncles", MAX_UNCLES),
    nonce: block.bytesOrNull("nonce", 8),
    mixHash: block.bytesOrNull("mixHash", 32),
    withdrawalsRoot: block.bytesOrNull("withdrawalsRoot", 32),
    blobGasUsed: block.quantityOrNull("blobGasUsed", 64),
    excessBlobGas: block.quantityOrNull("excessBlobGas", 64),
    parentBeaconBlockRoot: block.bytesOrNull("parentBeaconBlockRoot", 32),
    requestsHash: block.bytesOrNull("requestsHash", 32),
    extra: block.extra(KNOWN_FIELDS),
  };
}
