import type { Config } from "../config/schema.js";
import {
  type BlockmillError,
  BlockNotFoundError,
  dispositionOf,
  EndpointUnavailableError,
  RateLimitedError,
} from "../errors.js";
import type { Log } from "../log.js";
import { createEndpoint, type Endpoint, endpointNames } from "./endpoint.js";

export interface EndpointsOptions {
  urls: string[];
  timeoutMs: number;
  maxResponseBytes: number;
  /** Told of every failure, for the log. */
  onFailure?(endpoint: Endpoint, error: unknown): void;
}

/** The endpoints of one chain: work goes round them, and moves on when one fails. */
export interface Endpoints {
  /**
   * Runs `work` on an endpoint; when it fails there, on the next, each at most once, until one succeeds.
   * When all are down it throws an EndpointUnavailableError; else the error that blames the block or the
   * data rather than the connection.
   */
  tryEach<T>(work: (endpoint: Endpoint) => Promise<T>, signal?: AbortSignal): Promise<T>;
  readonly all: readonly Endpoint[];
}

/** The endpoints that a configuration names. */
export function endpointsOf(rpc: Config["rpc"], log: Log): Endpoints {
  return createEndpoints({
    urls: rpc.urls,
    timeoutMs: rpc.timeout_ms,
    maxResponseBytes: rpc.max_response_mb * 1_048_576,
    onFailure: (endpoint, error) => log.info({ endpoint: endpoint.name, err: error }, "endpoint failed"),
  });
}

/** How long an endpoint rests after its n-th failure in a row. */
const restMs = (failures: number) => Math.min(30_000, 250 * 2 ** Math.min(failures - 1, 10));

export function createEndpoints(options: EndpointsOptions): Endpoints {
  const names = endpointNames(options.urls);
  const states = options.urls.map((url, i) => ({
    endpoint: createEndpoint({
      url,
      name: names[i] ?? url,
      timeoutMs: options.timeoutMs,
      maxResponseBytes: options.maxResponseBytes,
    }),
    failures: 0,
    restUntil: 0,
  }));
  let turn = 0;

  // Round robin over those that are up; those that rest come last, the soonest ready first, so that a
  // block is never given up while any endpoint might serve it.
  const inOrder = () => {
    turn += 1;
    const now = performance.now();
    const rotated = states
      .map((_, i) => states[(i + turn) % states.length])
      .filter((each) => each !== undefined);
    return rotated.sort((a, b) => Math.max(a.restUntil - now, 0) - Math.max(b.restUntil - now, 0));
  };

  return {
    all: states.map(({ endpoint }) => endpoint),
    async tryEach(work, signal) {
      let worst: unknown;
      for (const state of inOrder()) {
        try {
          const result = await work(state.endpoint);
          state.failures = 0;
          state.restUntil = 0;
          return result;
        } catch (error) {
          signal?.throwIfAborted();
          options.onFailure?.(state.endpoint, error);
          // A block that is not there yet is no failure of the endpoint.
          if (!(error instanceof BlockNotFoundError)) {
            state.failures += 1;
            const asked = error instanceof RateLimitedError ? error.retryAfterMs : undefined;
            state.restUntil = performance.now() + (asked ?? restMs(state.failures));
          }
          worst = moreTelling(worst, error);
        }
      }
      throw worst ?? new EndpointUnavailableError("no endpoint is configured", {});
    },
  };
}

// An error about the block (it counts an attempt) tells more than one about the connection.
function moreTelling(a: unknown, b: unknown): unknown {
  if (a === undefined) return b;
  return dispositionOf(a) === "wait" && dispositionOf(b) !== "wait" ? b : a;
}

/** The endpoint that an error blames, by its name. */
export function blamed(error: unknown): string | undefined {
  const endpoint = (error as Partial<BlockmillError>)?.facts?.endpoint;
  return typeof endpoint === "string" ? endpoint : undefined;
}
