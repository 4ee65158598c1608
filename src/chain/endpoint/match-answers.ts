// Which answer belongs to which call (https://www.jsonrpc.org/specification, sections 5 and 6). HTTP
// would allow to believe whatever comes back; proxies that mix answers up are the reason not to.

import { RpcRequestError } from "viem";
import { describeValue } from "../parse/describe-value.js";
import type { RpcAnswer, RpcCall } from "./wire.js";

/** An answer that is no JSON-RPC answer to what was asked. */
export class MalformedAnswerError extends Error {
  constructor(
    /** Where in the answer. */
    readonly field: string,
    readonly expected: string,
    readonly actual: string,
    options?: ErrorOptions,
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

/** Parses a whole answer. Whatever JSON.parse throws (also RangeError) is a MalformedAnswerError. */
export function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedAnswerError("answer", "JSON", describeValue(text.slice(0, 60)), { cause });
  }
}

/** Reads the answer to one call. */
export function matchAnswer(call: SentCall, raw: unknown): RpcAnswer {
  const fields = objectOf(raw, "answer");
  // A server that cannot read the request answers with an error and the id null.
  const isUnread = fields.id === null && hasError(fields);
  if (fields.id !== call.id && !isUnread) {
    throw new MalformedAnswerError("id", String(call.id), describeValue(fields.id));
  }
  return answerOf(fields);
}

/**
 * Reads the answers to a batch, in the order of `calls`, whatever order they came in. Throws an
 * RpcRequestError when the batch as a whole was refused by a single error.
 */
export function matchBatch(calls: readonly SentCall[], raw: unknown, url: string): RpcAnswer[] {
  const refusal = refusalOf(raw, calls.length);
  if (refusal !== undefined)
    throw new RpcRequestError({ body: { batch: calls.length }, error: refusal, url });
  if (!Array.isArray(raw)) throw new MalformedAnswerError("answer", "a list", describeValue(raw));
  const first = calls[0]?.id ?? 0;
  const answers = new Array<RpcAnswer | undefined>(calls.length).fill(undefined);
  for (const [i, each] of raw.entries()) {
    const fields = objectOf(each, `answer[${i}]`);
    const place = typeof fields.id === "number" ? fields.id - first : -1;
    if (calls[place]?.id !== fields.id || answers[place] !== undefined) {
      throw new MalformedAnswerError(`answer[${i}].id`, "each call's id once", describeValue(fields.id));
    }
    answers[place] = answerOf(fields);
  }
  return answers.map((answer, i) => {
    if (answer !== undefined) return answer;
    throw new MalformedAnswerError("answer", `an answer to call ${i} of ${calls.length}`, "none");
  });
}

/** The error of a server that answers a whole batch with one error: bare, or alone in a list (geth). */
function refusalOf(raw: unknown, calls: number): { code: number; message: string } | undefined {
  const alone = Array.isArray(raw) && raw.length === 1 && calls > 1 ? (raw[0] as unknown) : raw;
  if (typeof alone !== "object" || alone === null || Array.isArray(alone)) return undefined;
  const { id, error } = alone as { id?: unknown; error?: unknown };
  if (!hasError({ error }) || (alone !== raw && id !== null)) return undefined;
  return readError(error);
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

/** The two fields of an error object that we use, whatever the server made of them. */
export function readError(raw: unknown): { code: number; message: string } {
  if (typeof raw === "string") return { code: 0, message: printable(raw) };
  const { code, message } = (typeof raw === "object" && raw !== null ? raw : {}) as Record<string, unknown>;
  return {
    code: typeof code === "number" && Number.isSafeInteger(code) ? code : 0,
    message: typeof message === "string" ? printable(message) : "no message",
  };
}

// Control characters and lone surrogates: neither a log nor a text column can hold them all.
const unprintable = /[\p{Cc}\p{Cs}]/gu;

function printable(text: string): string {
  return text.slice(0, maxMessageLength).replace(unprintable, "\u{fffd}");
}
