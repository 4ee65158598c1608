import type { Receipt } from "../../block.js";
import { receiptFields } from "../../fields/receipt.js";
import type { AnswerObject } from "./answer-object.js";
import { knownFields, type Place, readerOf } from "./read-fields.js";

const read = readerOf(receiptFields, ["extra"]);
const known = knownFields(receiptFields);

/** One receipt. Throws BadResponseError, also if it or a log of it says that it belongs elsewhere. */
export function parseReceipt(raw: AnswerObject, place: Place): Receipt {
  return Object.assign(read(raw, place), { extra: raw.extra(known) });
}
