import {
  HttpRequestError,
  ResponseBodyTooLargeError,
  SocketClosedError,
  TimeoutError,
  WebSocketRequestError,
} from "viem";
import {
  BadResponseError,
  BlockmillError,
  BlockNotFoundError,
  EndpointError,
  EndpointUnavailableError,
  RateLimitedError,
} from "../../errors.js";
import { MalformedAnswerError } from "./match-answers.js";
import { excerptOf } from "./read-response.js";
import { classifyRefusal, type Refusal, type RefusalClass } from "./refusal.js";
import type { RpcError } from "./wire.js";

/** Which endpoint was asked, and for what. */
export type CallFacts = { endpoint: string; method: string; block?: number | undefined; isBatch?: boolean };

/** What a failed call means, the wire's error as its cause. */
export function asEndpointError(error: unknown, facts: CallFacts): BlockmillError {
  if (error instanceof BlockmillError) return error;
  const at = `${facts.endpoint} ${facts.method}`;
  const cause = { cause: error };
  if (error instanceof HttpRequestError) return statusError(error, facts);
  if (error instanceof MalformedAnswerError) return malformedError(error, facts);
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

/** What an error in a JSON-RPC answer means. */
export function rpcError(error: RpcError, facts: CallFacts, options?: ErrorOptions): BlockmillError {
  const { code, message, status, retryAfter } = error;
  const seen = status === undefined ? "" : `HTTP ${status}, `;
  const told = `${seen}JSON-RPC error ${code}: ${message}`;
  return refusalError({ status, code, text: message, retryAfter, told }, facts, options);
}

function statusError(error: HttpRequestError, facts: CallFacts): BlockmillError {
  const { status, details } = error;
  const at = `${facts.endpoint} ${facts.method}`;
  if (status === undefined)
    return new EndpointUnavailableError(`${at}: no answer (${details})`, facts, { cause: error });
  const told = details === "" ? `HTTP ${status}` : `HTTP ${status} (${details})`;
  const retryAfter = error.headers?.get("retry-after");
  return refusalError({ status, text: details, retryAfter, told }, facts, { cause: error });
}

/** A page where JSON is due says what refuses it; other answers that cannot be read are unclear. */
function malformedError(error: MalformedAnswerError, facts: CallFacts): BlockmillError {
  const { field, expected, actual, text } = error;
  const refusal = text === undefined ? "unclear" : classifyRefusal({ text, ...askedOf(facts) });
  const at = `${facts.endpoint} ${facts.method}: ${field}`;
  if (refusal === "unclear" || text === undefined) {
    return new BadResponseError(
      { ...facts, field: at, expected, actual, refusal: "unclear" },
      { cause: error },
    );
  }
  const told = `expected ${expected}, got ${excerptOf(text) === "" ? "nothing" : `"${excerptOf(text)}"`}`;
  return refusalError({ text, told }, facts, { cause: error });
}

const askedOf = ({ method, isBatch }: CallFacts): Pick<Refusal, "method" | "isBatch"> => ({
  method,
  ...(isBatch === undefined ? {} : { isBatch }),
});

/** The error whose disposition is that of the refusal's class. */
function refusalError(
  {
    told,
    retryAfter,
    ...said
  }: { told: string; retryAfter?: string | null | undefined } & Pick<Refusal, "status" | "code" | "text">,
  facts: CallFacts,
  options?: ErrorOptions,
): BlockmillError {
  const refusal: RefusalClass = classifyRefusal({ ...said, ...askedOf(facts) });
  const { status, code } = said;
  const retryAfterMs = parseRetryAfter(retryAfter);
  const all = { ...facts, status, code, refusal };
  const message = `${facts.endpoint} ${facts.method}: ${told}`;
  switch (refusal) {
    case "slow-down":
      return new RateLimitedError(
        `${facts.endpoint} ${facts.method}: slow down (${told})`,
        { ...all, retryAfterMs },
        options,
      );
    case "unavailable":
      return new EndpointUnavailableError(message, { ...all, retryAfterMs }, options);
    case "absent":
    case "no-block":
      return new BlockNotFoundError(message, all, options);
    case "pruned":
      return new EndpointError(message, { ...all, pruned: true }, options);
    default:
      return new EndpointError(message, all, options);
  }
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
