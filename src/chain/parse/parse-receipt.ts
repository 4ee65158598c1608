import type { Receipt } from "../../block.js";
import { receiptFields } from "../../fields/receipt.js";
import type { AnswerObject } from "./answer-object.js";
import { knownFields, type PlaceInBlock, readerOf } from "./read-fields.js";

const read = readerOf(receiptFields, ["extra"]);
const known = knownFields(receiptFields);

/** One receipt. Throws BadResponseError, also if it or a log of it says that it belongs elsewhere. */
export function parseReceipt(raw: AnswerObject, place: PlaceInBlock, isLenient: boolean): Receipt {
  // Whose it is it must say itself: an object that says nothing is no receipt.
  raw.bytes("transactionHash", 32);
  return Object.assign(read(raw, place, isLenient), { extra: raw.extra(known) });
}
