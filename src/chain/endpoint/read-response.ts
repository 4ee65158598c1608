// From an HTTP response to the answers of the calls that it is for. What the body says is believed before the status.

import { HttpRequestError } from "viem";
import {
  MalformedAnswerError,
  matchAnswer,
  matchBatch,
  parseAnswer,
  type SentCall,
} from "./match-answers.js";
import type { RpcAnswer } from "./wire.js";

export interface TextResponse {
  status: number;
  /** The header of that name, if it came. */
  retryAfter?: string | undefined;
  text: string;
  /** The endpoint's name. */
  name: string;
}

/** The answer to one call. Throws a MalformedAnswerError, or an HttpRequestError where the status says no. */
export function readAnswer(sent: SentCall, response: TextResponse): RpcAnswer {
  return isSuccess(response)
    ? matchAnswer(sent, parseAnswer(response.text))
    : withStatus(
        believed(response, (raw) => matchAnswer(sent, raw)),
        response,
      );
}

/** The answers to a batch, in the order of its calls. Throws as `readAnswer` does. */
export function readBatch(sent: readonly SentCall[], response: TextResponse): RpcAnswer[] {
  return isSuccess(response)
    ? matchBatch(sent, parseAnswer(response.text))
    : believed(response, (raw) => matchBatch(sent, raw)).map((answer) => withStatus(answer, response));
}

export function isSuccess({ status }: { status: number }): boolean {
  return status >= 200 && status < 300;
}

/** What the body of a response with another status than 2xx answers; throws the status where that is no JSON-RPC. */
function believed<T>(response: TextResponse, match: (raw: unknown) => T): T {
  try {
    return match(parseAnswer(response.text));
  } catch (error) {
    if (!(error instanceof MalformedAnswerError)) throw error;
    const headers = new Headers();
    if (response.retryAfter !== undefined) headers.set("retry-after", response.retryAfter);
    const { status, name: url } = response;
    throw new HttpRequestError({ url, status, headers, details: excerptOf(response.text) });
  }
}

function withStatus(answer: RpcAnswer, { status, retryAfter }: TextResponse): RpcAnswer {
  return "result" in answer ? answer : { error: { ...answer.error, status, retryAfter } };
}

const excerptLength = 120;

/** How a body begins, without its tags: what a page says to people. */
export function excerptOf(text: string): string {
  const plain = text
    .slice(0, 4_096)
    .replace(/<(style|script)\b.*?<\/\1>/gis, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/[\s\p{Cc}\p{Cs}]+/gu, " ")
    .trim();
  return plain.length > excerptLength ? `${plain.slice(0, excerptLength)}…` : plain;
}
