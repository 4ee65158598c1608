import {
  HttpRequestError,
  ResponseBodyTooLargeError,
  RpcRequestError,
  SocketClosedError,
  TimeoutError,
  WebSocketRequestError,
} from "viem";
import {
  BadResponseError,
  BlockmillError,
  EndpointError,
  EndpointUnavailableError,
  RateLimitedError,
} from "../../errors.js";
import { MalformedAnswerError } from "./match-answers.js";

/** Which endpoint was asked, and for what. */
export type CallFacts = { endpoint: string; method: string };

/** What a failed call means, the wire's error as its cause. */
export function asEndpointError(error: unknown, facts: CallFacts): BlockmillError {
  if (error instanceof BlockmillError) return error;
  const at = `${facts.endpoint} ${facts.method}`;
  const cause = { cause: error };
  if (error instanceof RpcRequestError) {
    return rpcError({ code: error.code, message: error.details }, facts, { cause: error });
  }
  if (error instanceof HttpRequestError) return statusError(error, facts);
  if (error instanceof MalformedAnswerError) {
    const { field, expected, actual } = error;
    return new BadResponseError({ ...facts, field: `${at}: ${field}`, expected, actual }, cause);
  }
  if (error instanceof ResponseBodyTooLargeError || isTooLargeMessage(error)) {
    const expected = "an answer within rpc.max_response_mb";
    return new BadResponseError({ ...facts, field: at, expected, actual: "a larger one" }, cause);
  }
  if (error instanceof TimeoutError) {
    return new EndpointUnavailableError(`${at}: no answer in time`, { ...facts, timeout: true }, cause);
  }
  const told =
    error instanceof SocketClosedError
      ? "the socket was closed"
      : error instanceof WebSocketRequestError
        ? `no answer (${error.details})`
        : error instanceof Error
          ? error.message
          : String(error);
  return new EndpointUnavailableError(`${at}: ${told}`, facts, cause);
}

// JSON-RPC error codes that mean "not now" rather than "no". -32005 is EIP-1474's limit exceeded; 429 is
// what some providers put into the JSON body.
const slowDownCodes = new Set([-32005, 429, -32029, -32097]);
const slowDownWords = /rate limit|too many requests|request limit|capacity|throttl/i;

// History that the endpoint does not keep: geth's code for pruned history (EIP-4444) and what others say.
const prunedCodes = new Set([4444]);
const prunedWords = /missing trie node|pruned|history (is )?not available|historical .* (un|not )available/i;

/** What an error in a JSON-RPC answer means. */
export function rpcError(
  { code, message }: { code: number; message: string },
  facts: CallFacts,
  options?: ErrorOptions,
): BlockmillError {
  const at = `${facts.endpoint} ${facts.method}`;
  if (slowDownCodes.has(code) || slowDownWords.test(message)) {
    return new RateLimitedError(`${at}: slow down (${code} ${message})`, { ...facts, code }, options);
  }
  const pruned = prunedCodes.has(code) || prunedWords.test(message);
  const told = pruned ? { ...facts, code, pruned } : { ...facts, code };
  return new EndpointError(`${at}: JSON-RPC error ${code}: ${message}`, told, options);
}

function statusError(error: HttpRequestError, facts: CallFacts): BlockmillError {
  const { status } = error;
  const at = `${facts.endpoint} ${facts.method}`;
  const cause = { cause: error };
  const retryAfterMs = parseRetryAfter(error.headers?.get("retry-after"));
  if (status === 429) {
    return new RateLimitedError(`${at}: HTTP 429`, { ...facts, status, retryAfterMs }, cause);
  }
  const told = status === undefined ? `no answer (${error.details})` : `HTTP ${status}`;
  return new EndpointUnavailableError(`${at}: ${told}`, { ...facts, status, retryAfterMs }, cause);
}

/** `ws` refuses a message over its maxPayload with this code (RFC 6455, 7.4.1: status 1009). */
function isTooLargeMessage(error: unknown): boolean {
  const { code } = ((error as Error | null)?.cause ?? {}) as { code?: unknown };
  return code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
}

/** Retry-After (RFC 9110, 10.2.3), in seconds or as a date; at most an hour. */
function parseRetryAfter(header: string | null | undefined): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 3_600_000) : undefined;
}
