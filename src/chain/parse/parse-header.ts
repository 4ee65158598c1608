import type { Header } from "../../block.js";
import { blockLists, headerFields } from "../../fields/header.js";
import type { AnswerObject } from "./answer-object.js";
import { knownFields, readerOf } from "./read-fields.js";

const read = readerOf(headerFields, ["extra"]);
const known = knownFields(headerFields, blockLists);

/** The header's fields of a block. Throws BadResponseError. */
export function parseHeader(block: AnswerObject, isLenient: boolean): Header {
  return Object.assign(read(block, null, isLenient), { extra: block.extra(known) });
}
