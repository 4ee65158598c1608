import { performance } from "node:perf_hooks";
import { EndpointError, EndpointUnavailableError, RateLimitedError } from "../../errors.js";
import type { Counts } from "../../metrics/counts.js";
import { assumedCapabilities, type Capabilities } from "./capabilities.js";
import { ConnectionGuard } from "./connection-guard.js";
import { asEndpointError, type CallFacts, rpcError } from "./endpoint-error.js";
import { Latency } from "./latency.js";
import { requestInBatches } from "./request-in-batches.js";
import { Silence } from "./silence.js";
import { type Outcome, Throttle, type ThrottleOptions } from "./throttle.js";
import { createUndiciWire } from "./undici-wire.js";
import type { AnswerBytes, RpcAnswer, Subscription, SubscriptionListener, Wire } from "./wire.js";
import { createWsWire } from "./ws-wire.js";

export interface EndpointOptions {
  /** http, https, ws or wss. A user and password in it go out as Basic authentication. */
  url: string;
  /** How the endpoint is called wherever people read: its host, never its URL. */
  name: string;
  /** Of one request. */
  timeoutMs: number;
  /** Counted as they are read, uncompressed. */
  maxResponseBytes: number;
  /** Whether to ask for gzipped answers over HTTP. Unless stated: of https, not of http. */
  compress?: boolean;
  /** Relative to the others'. 1 unless stated. */
  weight?: number;
  /** The most requests at once. 192 unless stated. */
  maxInFlight?: number;
  requestsPerSecond?: number | undefined;
  /** The part of the two limits that this process may use: above 0, at most 1. 1 unless stated. */
  share?: number;
  /** The most calls in one JSON-RPC batch. 100 unless stated: providers refuse more than 100 to 1000. */
  batchSize?: number;
  /** The most blocks in one eth_getLogs, where that is known. */
  logRange?: number | undefined;
  /** Where requests are counted. */
  counts?: Counts | undefined;
}

export interface RequestOptions {
  signal?: AbortSignal | undefined;
}

/** What an endpoint answered to a call. */
export interface Answered {
  /** As it came; null where it was parsed at once, as a WebSocket's messages are that begin in an unusual way. */
  bytes: AnswerBytes | null;
  /** Milliseconds from when the call went out, which the endpoint's limits may have held up before. */
  tookMs: number;
  /** The call's `result`, which is parsed now. Throws as `request` does. */
  result(): unknown;
}

/** One JSON-RPC endpoint. Requests go out as they are, and answers come back unparsed beyond JSON. */
export interface Endpoint {
  readonly name: string;
  readonly weight: number;
  /** Whether it can push: its URL is ws(s)://. */
  readonly canPush: boolean;
  readonly logRange: number | undefined;
  readonly capabilities: Readonly<Capabilities>;
  /** Keeps what an answer told about the endpoint. */
  learn(found: Partial<Capabilities>): void;
  /** Blocks in a row whose receipts it did not give in one call, though it gave them singly. */
  receiptsRefused: number;
  readonly load: EndpointLoad;
  /** Uses this part of the configured limits from now on: above 0, at most 1. */
  setShare(share: number): void;
  /**
   * The `result` of a call. Throws an error whose disposition, and whose fact `refusal`, say what it means (refusal.ts):
   * RateLimitedError, EndpointUnavailableError (no answer, or it cannot serve), BadResponseError (no JSON-RPC
   * answer), BlockNotFoundError, EndpointError (any other refusal). When `signal` aborts, its reason.
   */
  request(method: string, params: unknown[], options?: RequestOptions): Promise<unknown>;
  /** The same, but the answer is parsed when its result is asked for, or never. */
  requestAnswer(method: string, params: unknown[], options?: RequestOptions): Promise<Answered>;
  /**
   * The results of several calls of one method, in order: in JSON-RPC batches, or one by one where there are none.
   * Whatever way a batch is refused in, it is the smaller next time, and what failed in it is asked for again singly.
   */
  requestBatch(method: string, calls: unknown[][], options?: RequestOptions): Promise<unknown[]>;
  /** eth_subscribe. Rejects when the subscription cannot be made; `onLost` is called once when it ends. */
  subscribe(
    params: unknown[],
    listener: SubscriptionListener,
    options?: RequestOptions,
  ): Promise<Subscription>;
  /** Ends what is open. Requests that are out fail. */
  close(): void;
}

export interface EndpointLoad {
  inFlight: number;
  waiting: number;
  /** How many requests may be in flight now. */
  limit: number;
  /** The average; undefined before the first answer. */
  latencyMs: number | undefined;
  /** Since it was asked, or last answered, while it is asked and does not answer; undefined: it does, or is not asked. */
  silentMs: number | undefined;
}

const defaultMaxInFlight = 192;
const defaultBatchSize = 100;

export function createEndpoint(options: EndpointOptions): Endpoint {
  const { name, timeoutMs, weight = 1 } = options;
  const canPush = /^wss?:/i.test(options.url);
  const { counts } = options;
  const onReceived = (size: number): void => counts?.add("blockmill_rpc_received_bytes_total", [name], size);
  const throttle = new Throttle(limitsOf(options, options.share ?? 1));
  const latency = new Latency();
  const silence = new Silence();
  const capabilities = assumedCapabilities(options.batchSize ?? defaultBatchSize);
  const guard = new ConnectionGuard({ name, expected: () => capabilities.chainId });
  const wire: Wire = (canPush ? createWsWire : createUndiciWire)({ ...options, guard, onReceived });
  const closedError = () => new EndpointUnavailableError(`${name}: closed`, { endpoint: name });
  let closed = false;

  /** Sends `calls` calls of a method in one request, when there is room for it. */
  const exchange = async <T>(
    { facts, calls, signal }: { facts: CallFacts; calls: number; signal: AbortSignal | undefined },
    send: () => Promise<T>,
  ): Promise<T> => {
    await throttle.acquire(calls, signal);
    const started = performance.now();
    let outcome: Outcome = "other";
    silence.asked();
    try {
      if (closed) throw closedError();
      const answer = await send();
      latency.add(performance.now() - started);
      outcome = "served";
      silence.answered();
      return answer;
    } catch (error) {
      const told = signal?.aborted ? undefined : asEndpointError(error, facts);
      const elapsedMs = performance.now() - started;
      // What was given up is known to take longer than that.
      const isSlow = told === undefined || told.facts.timeout === true;
      if (isSlow && elapsedMs > (latency.averageMs ?? 0)) latency.add(elapsedMs);
      if (told === undefined) throw signal?.reason;
      if (told instanceof RateLimitedError) outcome = "refused";
      else if (told.facts.timeout === true) outcome = "timed-out";
      if (outcome !== "timed-out") silence.answered();
      throw told;
    } finally {
      silence.done();
      throttle.done(outcome, calls);
      const { method } = facts;
      const told =
        outcome === "other" ? (signal?.aborted ? "given_up" : "failed") : outcome.replace("-", "_");
      counts?.add("blockmill_rpc_requests_total", [name, method, told]);
      counts?.observe("blockmill_rpc_request_seconds", [name, method], (performance.now() - started) / 1_000);
    }
  };

  const resultOf = (answer: RpcAnswer, facts: CallFacts): unknown => {
    if ("result" in answer) return answer.result;
    throw rpcError(answer.error, facts);
  };

  const request = (method: string, params: unknown[], { signal }: RequestOptions = {}): Promise<unknown> => {
    const facts = factsOf(method, params);
    return exchange({ facts, calls: 1, signal }, async () =>
      resultOf(await wire.send({ method, params }, { timeoutMs, signal }), facts),
    );
  };

  const requestAnswer = async (
    method: string,
    params: unknown[],
    { signal }: RequestOptions = {},
  ): Promise<Answered> => {
    const call = { method, params };
    const facts = factsOf(method, params);
    let sentAt = 0;
    const answer = await exchange({ facts, calls: 1, signal }, async () => {
      sentAt = performance.now();
      const options = { timeoutMs, signal };
      const came = await (wire.sendForBytes?.(call, options) ?? wire.send(call, options));
      return "parse" in came ? came : { result: resultOf(came, facts) };
    });
    const tookMs = performance.now() - sentAt;
    if (!("parse" in answer)) return { bytes: null, tookMs, result: () => answer.result };
    const result = (): unknown => {
      try {
        return resultOf(answer.parse(), facts);
      } catch (error) {
        throw asEndpointError(error, facts);
      }
    };
    return { bytes: answer, tookMs, result };
  };

  const sendBatch = (method: string, calls: unknown[][], signal: AbortSignal | undefined) =>
    exchange({ facts: { ...factsOf(method), isBatch: true }, calls: calls.length, signal }, () =>
      wire.sendBatch(
        calls.map((params) => ({ method, params })),
        { timeoutMs, signal },
      ),
    );

  const requestBatch = (
    method: string,
    calls: unknown[][],
    { signal }: RequestOptions = {},
  ): Promise<unknown[]> =>
    requestInBatches(calls, {
      size: () => capabilities.batchSize,
      shrinkTo: (size) => {
        capabilities.batchSize = Math.min(capabilities.batchSize, size);
      },
      request: (params) => request(method, params, { signal }),
      sendBatch: (part) => sendBatch(method, part, signal),
      signal,
    });

  const factsOf = (method: string, [about]: unknown[] = []): CallFacts => ({
    endpoint: name,
    method,
    ...(typeof about === "string" && /^0x[0-9a-f]{1,13}$/.test(about) ? { block: Number(about) } : {}),
  });

  return {
    name,
    weight,
    canPush,
    logRange: options.logRange,
    capabilities,
    learn: (found) => Object.assign(capabilities, found),
    receiptsRefused: 0,
    get load() {
      const { inFlight, waiting, limit } = throttle;
      return { inFlight, waiting, limit, latencyMs: latency.averageMs, silentMs: silence.ms };
    },
    setShare: (share) => throttle.allow(limitsOf(options, share)),
    request,
    requestAnswer,
    requestBatch,
    async subscribe(params, listener, { signal } = {}) {
      if (wire.subscribe === undefined) {
        throw new EndpointError(`${name}: it cannot push: its URL is not ws(s)://`, { endpoint: name });
      }
      try {
        return await wire.subscribe(params, listener, { timeoutMs, signal });
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        throw asEndpointError(error, factsOf("eth_subscribe"));
      }
    },
    close() {
      closed = true;
      throttle.close(closedError());
      wire.close();
    },
  };
}

function limitsOf({ maxInFlight, requestsPerSecond }: EndpointOptions, share: number): ThrottleOptions {
  return {
    maxInFlight:
      maxInFlight === undefined ? defaultMaxInFlight : Math.max(1, Math.floor(maxInFlight * share)),
    requestsPerSecond: requestsPerSecond === undefined ? undefined : requestsPerSecond * share,
  };
}

/** A name for each URL: its host, with a number where several share one. */
export function endpointNames(urls: string[]): string[] {
  const hosts = urls.map((url) => new URL(url).host);
  return hosts.map((host, i) =>
    hosts.indexOf(host) === hosts.lastIndexOf(host) ? host : `${host}#${i + 1}`,
  );
}
