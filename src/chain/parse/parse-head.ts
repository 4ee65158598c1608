import type { Header } from "../../block.js";
import { headerFields } from "../../fields/header.js";
import { Answer, AnswerObject } from "./answer-object.js";
import { readerOf } from "./read-fields.js";

const { number, hash, parentHash, timestamp } = headerFields;
const read = readerOf({ number, hash, parentHash, timestamp });

/** What following the head needs to know of a block. */
export interface Head extends Pick<Header, "number" | "hash" | "parentHash" | "timestamp"> {}

/** Reads a block or a bare header, whatever else is in it. Throws BadResponseError. */
export function parseHead(raw: unknown, endpoint: string): Head {
  const answer = new Answer(endpoint, undefined);
  return read(new AnswerObject(answer, raw, { parent: null, field: "", index: null }), null);
}
