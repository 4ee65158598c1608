import type { Receipt, Transaction } from "../../block.js";
import { transactionFields } from "../../fields/transaction.js";
import type { AnswerObject } from "./answer-object.js";
import { knownFields, type PlaceInBlock, readerOf } from "./read-fields.js";

const read = readerOf(transactionFields, ["extra", "receipt"]);
const known = knownFields(transactionFields);

/**
 * One transaction of a block, with its receipt. A type that is not Ethereum's keeps the fields that all types have, and
 * the rest in `extra`. Throws BadResponseError, also if it says that it is of another block or place.
 */
export function parseTransaction(
  raw: AnswerObject,
  place: Omit<PlaceInBlock, "transactionHash">,
  { isLenient, readReceipt }: { isLenient: boolean; readReceipt: (place: PlaceInBlock) => Receipt },
): Transaction {
  const ownPlace = { ...place, transactionHash: raw.bytes("hash", 32) };
  const transaction = read(raw, ownPlace, isLenient);
  return Object.assign(transaction, { extra: raw.extra(known), receipt: readReceipt(ownPlace) });
}
