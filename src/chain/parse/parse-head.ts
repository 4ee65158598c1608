import type { Hex } from "../../block.js";
import { Answer, AnswerObject } from "./answer-object.js";
import { MAX_TIMESTAMP } from "./parse-header.js";

/** What following the head needs to know of a block. */
export interface Head {
  number: number;
  hash: Hex;
  parentHash: Hex;
  /** Seconds since 1970. */
  timestamp: number;
}

/** Reads a block or a bare header, whatever else is in it. Throws BadResponseError. */
export function parseHead(raw: unknown, endpoint: string): Head {
  const head = new AnswerObject(new Answer(endpoint, undefined), raw, {
    parent: null,
    field: "",
    index: null,
  });
  return {
    number: head.integer("number", Number.MAX_SAFE_INTEGER),
    hash: head.bytes("hash", 32),
    parentHash: head.bytes("parentHash", 32),
    timestamp: head.integer("timestamp", MAX_TIMESTAMP),
  };
}
