// Which answer belongs to which call (https://www.jsonrpc.org/specification, sections 5 and 6). HTTP
// would allow to believe whatever comes back; proxies that mix answers up are the reason not to.

import { parseExactly } from "../../exact-number.js";
import { describeValue } from "../parse/describe-value.js";
import { exceededBound } from "./bound-json.js";
import type { RpcAnswer, RpcCall, RpcError } from "./wire.js";

/** An answer that is no JSON-RPC answer to what was asked. */
export class MalformedAnswerError extends Error {
  constructor(
    /** Where in the answer. */
    readonly field: string,
    readonly expected: string,
    readonly actual: string,
    options?: ErrorOptions,
    /** How the answer begins, where it is no JSON. */
    readonly text?: string,
  ) {
    super(`${field}: expected ${expected}, got ${actual}`, options);
    this.name = "MalformedAnswerError";
  }
}

/** A call with the id that it went out with. */
export interface SentCall extends RpcCall {
  id: number;
}

/** A request as JSON-RPC wants it. */
export function envelope({ id, method, params }: SentCall): object {
  return { jsonrpc: "2.0", id, method, params };
}

/**
 * Parses a whole answer, once its depth and number of values are known to be bounded. Whatever JSON.parse throws (also
 * RangeError) is a MalformedAnswerError.
 */
export function parseAnswer(text: string): unknown {
  const bound = exceededBound(text);
  if (bound !== null) throw new MalformedAnswerError("answer", bound, "more");
  try {
    return parseExactly(text);
  } catch (cause) {
    const beginning = text.slice(0, 500);
    throw new MalformedAnswerError("answer", "JSON", describeValue(text.slice(0, 60)), { cause }, beginning);
  }
}

/** Reads the answer to one call. */
export function matchAnswer(call: SentCall, raw: unknown): RpcAnswer {
  const fields = objectOf(raw, "answer");
  // A server that refuses a request without having read it answers with an error, and the id null or none.
  const isUnread = (fields.id === null || fields.id === undefined) && hasError(fields);
  if (fields.id !== call.id && !isUnread) {
    throw new MalformedAnswerError("id", String(call.id), describeValue(fields.id));
  }
  return answerOf(fields);
}

/**
 * Reads the answers to a batch, in the order of `calls`, whatever order they came in. Where the batch as a whole was
 * refused by a single error, each call has that. A call that was not answered has an error that says so.
 */
export function matchBatch(calls: readonly SentCall[], raw: unknown): RpcAnswer[] {
  const refusal = refusalOf(raw, calls.length);
  if (refusal !== undefined) return calls.map(() => ({ error: refusal }));
  if (!Array.isArray(raw)) throw new MalformedAnswerError("answer", "a list", describeValue(raw));
  const first = calls[0]?.id ?? 0;
  const answers = new Array<RpcAnswer | undefined>(calls.length).fill(undefined);
  for (const [i, each] of raw.entries()) {
    const fields = objectOf(each, `answer[${i}]`);
    const place = typeof fields.id === "number" ? fields.id - first : -1;
    // An error that names no call is some call's: the calls without an answer have it.
    if ((fields.id === null || fields.id === undefined) && hasError(fields)) continue;
    if (calls[place]?.id !== fields.id || answers[place] !== undefined) {
      throw new MalformedAnswerError(`answer[${i}].id`, "each call's id once", describeValue(fields.id));
    }
    answers[place] = answerOf(fields);
  }
  return answers.map(
    (answer) => answer ?? { error: { code: 0, message: "the batch's answer leaves it out" } },
  );
}

/** The error of a server that answers a whole batch with one error: bare, or alone in a list (geth: with the first call's id). */
function refusalOf(raw: unknown, calls: number): RpcError | undefined {
  const alone = Array.isArray(raw) && raw.length === 1 && calls > 1 ? (raw[0] as unknown) : raw;
  if (typeof alone !== "object" || alone === null || Array.isArray(alone)) return undefined;
  const { error } = alone as { error?: unknown };
  return hasError({ error }) ? readError(error) : undefined;
}

/** Some servers send `error: null` beside a result. */
export function hasError({ error }: { error?: unknown }): boolean {
  return error !== undefined && error !== null;
}

function objectOf(raw: unknown, field: string): Record<string, unknown> {
  if (typeof raw === "object" && raw !== null && !Array.isArray(raw)) return raw as Record<string, unknown>;
  throw new MalformedAnswerError(field, "an object", describeValue(raw));
}

function answerOf(fields: Record<string, unknown>): RpcAnswer {
  if (hasError(fields)) return { error: readError(fields.error) };
  if (fields.result === undefined)
    throw new MalformedAnswerError("result", "a result or an error", "nothing");
  return { result: fields.result };
}

const maxMessageLength = 500;

/** The fields of an error object that we use, whatever the server made of them. Some say more in `data` than in the message. */
export function readError(raw: unknown): RpcError {
  if (typeof raw === "string") return { code: 0, message: printable(raw) };
  const { code, message, data } = (typeof raw === "object" && raw !== null ? raw : {}) as Record<
    string,
    unknown
  >;
  const said = typeof message === "string" ? printable(message) : "no message";
  const more = typeof data === "string" && data !== "" && !data.startsWith("0x") && data !== message;
  return {
    code: codeOf(code),
    message: more ? `${said} (${printable(data)})` : said,
  };
}

/** Some servers send it as text. */
function codeOf(code: unknown): number {
  const number = typeof code === "string" && /^-?\d{1,9}$/.test(code) ? Number(code) : code;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : 0;
}

// Control characters and lone surrogates: neither a log nor a text column can hold them all.
const unprintable = /[\p{Cc}\p{Cs}]/gu;

function printable(text: string): string {
  return text.slice(0, maxMessageLength).replace(unprintable, "\u{fffd}");
}
