import { HttpRequestError, RpcRequestError } from "viem";
import { readError } from "./match-answers.js";

/** An answer whose status is not 2xx. */
export interface Refusal {
  status: number;
  retryAfter: string | undefined;
  text: string;
  /** The endpoint's, for messages. */
  name: string;
}

/** What a status other than 2xx means: the JSON-RPC error in its body, if there is one. Redirects are not followed. */
export function httpStatusError({ status, retryAfter, text, name }: Refusal): Error {
  const headers = new Headers(retryAfter === undefined ? {} : { "retry-after": retryAfter });
  const error = errorIn(text);
  if (error !== undefined && status !== 429 && status < 500) {
    return new RpcRequestError({ body: {}, error, headers, status, url: name });
  }
  return new HttpRequestError({ url: name, status, headers, details: error?.message ?? `HTTP ${status}` });
}

function errorIn(text: string): { code: number; message: string } | undefined {
  if (!text.startsWith("{") || text.length > 65_536) return undefined;
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "object" && error !== null ? readError(error) : undefined;
  } catch {
    return undefined;
  }
}
