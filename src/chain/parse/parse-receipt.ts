import type { Hex, Log, Receipt } from "../../block.js";
import type { AnswerObject } from "./answer-object.js";
import type { TransactionPlace } from "./parse-transaction.js";

/** More logs than any block can pay for. */
export const MAX_LOGS = 1_000_000;

const MAX_TOPICS = 4;
const MAX_INT4 = 2_147_483_647;

const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  "status",
  "root",
  "gasUsed",
  "cumulativeGasUsed",
  "effectiveGasPrice",
  "contractAddress",
  "blobGasUsed",
  "blobGasPrice",
  "logsBloom",
  "logs",
  // Said by the block or the transaction.
  "transactionHash",
  "transactionIndex",
  "blockHash",
  "blockNumber",
  "blockTimestamp",
  "from",
  "to",
  "type",
]);

/** Which transaction a receipt must belong to. */
export interface ReceiptPlace extends TransactionPlace {
  transactionHash: Hex;
}

/** One receipt. Throws BadResponseError, also if it or a log of it says that it belongs elsewhere. */
export function parseReceipt(raw: AnswerObject, place: ReceiptPlace): Receipt {
  expectPlace(raw, place);
  return {
    status: raw.integerOrNull("status", 1),
    root: raw.bytesOrNull("root", 32),
    gasUsed: raw.quantity("gasUsed", 64),
    cumulativeGasUsed: raw.quantity("cumulativeGasUsed", 64),
    effectiveGasPrice: raw.quantityOrNull("effectiveGasPrice", 256),
    contractAddress: raw.bytesOrNull("contractAddress", 20),
    blobGasUsed: raw.quantityOrNull("blobGasUsed", 64),
    blobGasPrice: raw.quantityOrNull("blobGasPrice", 256),
    logsBloom: raw.bytes("logsBloom", 256),
    logs: raw.objects("logs", MAX_LOGS, (log) => parseLog(log, place)),
    extra: raw.extra(KNOWN_FIELDS),
  };
}

function parseLog(raw: AnswerObject, place: ReceiptPlace): Log {
  expectPlace(raw, place);
  if (raw.value("removed") === true) raw.fail("removed", "a log that still stands", true);
  return {
    logIndex: raw.integer("logIndex", MAX_INT4),
    transactionIndex: place.index,
    transactionHash: place.transactionHash,
    address: raw.bytes("address", 20),
    topics: raw.words("topics", MAX_TOPICS),
    data: raw.data("data"),
  };
}

function expectPlace(raw: AnswerObject, place: ReceiptPlace): void {
  raw.expectWord("transactionHash", place.transactionHash);
  raw.expectQuantity("transactionIndex", place.indexHex);
  raw.expectWord("blockHash", place.blockHash);
  raw.expectQuantity("blockNumber", place.blockNumberHex);
}
