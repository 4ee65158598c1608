import {
  type createTransport,
  HttpRequestError,
  http,
  ResponseBodyTooLargeError,
  RpcRequestError,
  TimeoutError,
} from "viem";
import {
  BadResponseError,
  BlockmillError,
  EndpointError,
  EndpointUnavailableError,
  RateLimitedError,
} from "../errors.js";

export interface EndpointOptions {
  url: string;
  /** How the endpoint is called wherever people read: its host, never its URL. */
  name: string;
  timeoutMs: number;
  maxResponseBytes: number;
}

export interface RequestOptions {
  signal?: AbortSignal | undefined;
}

/** One JSON-RPC endpoint. Requests go out as they are, and answers come back unparsed beyond JSON. */
export interface Endpoint {
  readonly name: string;
  /** The `result` of a call. Throws an error whose disposition says what it means. */
  request(method: string, params: unknown[], options?: RequestOptions): Promise<unknown>;
  /** The results of several calls of one method in one JSON-RPC batch, in order. */
  requestBatch(method: string, calls: unknown[][], options?: RequestOptions): Promise<unknown[]>;
}

/** Calls in one JSON-RPC batch: providers refuse more than 100 to 1000. */
const batchSize = 100;

export function createEndpoint({ url, name, timeoutMs, maxResponseBytes }: EndpointOptions): Endpoint {
  const shared = { retryCount: 0, timeout: timeoutMs, maxResponseBodySize: maxResponseBytes };
  const single = http(url, shared)({ retryCount: 0, timeout: timeoutMs });
  const batched = http(url, { ...shared, batch: { batchSize, wait: 0 } })({
    retryCount: 0,
    timeout: timeoutMs,
  });
  const call = async (
    transport: ReturnType<typeof createTransport>,
    method: string,
    params: unknown[],
    { signal }: RequestOptions,
  ): Promise<unknown> => {
    try {
      return await transport.request({ method, params } as never, {
        retryCount: 0,
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw asEndpointError(error, { endpoint: name, method });
    }
  };
  return {
    name,
    request: (method, params, options = {}) => call(single, method, params, options),
    requestBatch: (method, calls, options = {}) =>
      Promise.all(calls.map((params) => call(batched, method, params, options))),
  };
}

// JSON-RPC error codes that mean "not now" rather than "no". -32005 is EIP-1474's limit exceeded; 429 is
// what some providers put into the JSON body.
const slowDownCodes = new Set([-32005, 429, -32029, -32097]);
const slowDownWords = /rate limit|too many requests|request limit|capacity|throttl/i;

/** What a failed call means, viem's error as its cause. */
export function asEndpointError(error: unknown, facts: { endpoint: string; method: string }): BlockmillError {
  if (error instanceof BlockmillError) return error;
  const at = `${facts.endpoint} ${facts.method}`;
  const found = (error as { walk?: (test: (e: unknown) => boolean) => unknown }).walk?.((each) =>
    [RpcRequestError, HttpRequestError, TimeoutError, ResponseBodyTooLargeError].some(
      (kind) => each instanceof kind,
    ),
  );
  const origin = found ?? error;
  if (origin instanceof RpcRequestError) {
    const code = Number(origin.code);
    const told = { ...facts, code };
    if (slowDownCodes.has(code) || slowDownWords.test(origin.details)) {
      return new RateLimitedError(`${at}: slow down (${code} ${origin.details})`, told, { cause: error });
    }
    return new EndpointError(`${at}: JSON-RPC error ${code}: ${origin.details}`, told, { cause: error });
  }
  if (origin instanceof HttpRequestError) {
    const status = origin.status;
    if (status === 429) {
      const retryAfterMs = parseRetryAfter(origin.headers?.get("retry-after"));
      return new RateLimitedError(`${at}: HTTP 429`, { ...facts, status, retryAfterMs }, { cause: error });
    }
    const told = status === undefined ? "no answer" : `HTTP ${status}`;
    const notJson = origin.cause instanceof SyntaxError;
    if (notJson) {
      return new BadResponseError(
        { ...facts, field: at, expected: "JSON", actual: "something else" },
        { cause: error },
      );
    }
    return new EndpointUnavailableError(`${at}: ${told}`, { ...facts, status }, { cause: error });
  }
  if (origin instanceof TimeoutError) {
    return new EndpointUnavailableError(`${at}: no answer in time`, facts, { cause: error });
  }
  if (origin instanceof ResponseBodyTooLargeError) {
    const expected = "an answer within rpc.max_response_mb";
    return new BadResponseError({ ...facts, field: at, expected, actual: "a larger one" }, { cause: error });
  }
  return new EndpointUnavailableError(
    `${at}: ${error instanceof Error ? error.message : String(error)}`,
    facts,
    {
      cause: error,
    },
  );
}

/** Retry-After, in seconds or as a date; at most an hour. */
function parseRetryAfter(header: string | null | undefined): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), 3_600_000) : undefined;
}

/** A name for each URL: its host, with a number where several share one. */
export function endpointNames(urls: string[]): string[] {
  const hosts = urls.map((url) => new URL(url).host);
  return hosts.map((host, i) =>
    hosts.indexOf(host) === hosts.lastIndexOf(host) ? host : `${host}#${i + 1}`,
  );
}
