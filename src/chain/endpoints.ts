import type { Config, EndpointSettings } from "../config/schema.js";
import { BlockmillError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Counts, Series } from "../metrics/counts.js";
import type { Capabilities } from "./endpoint/capabilities.js";
import { createEndpoint, type Endpoint, type EndpointOptions, endpointNames } from "./endpoint/endpoint.js";
import { HedgeBudget } from "./endpoints/hedge-budget.js";
import { Member } from "./endpoints/member.js";
import { type EndpointWork, type TryOptions, tryEach } from "./endpoints/try-each.js";

export interface EndpointsOptions {
  endpoints: EndpointOptions[];
  /** The chain that they must serve. Without one, the first endpoint that answers decides. */
  chainId?: number | undefined;
  /** How long what an endpoint lacks, or refused, is believed before it is asked for again. Ten minutes unless stated. */
  askAgainMs?: number | undefined;
  /**
   * An endpoint that has served nothing for so long has no say in what becomes of a block: the others decide. Ten minutes
   * unless stated.
   */
  noSayAfterMs?: number | undefined;
  /** Where requests are counted. */
  counts?: Counts | undefined;
  /** Told of every failure, for the log. */
  onFailure?(endpoint: Endpoint, error: unknown): void;
}

/** The endpoints of one chain: work is spread over them, and moves on when one fails. */
export interface Endpoints {
  readonly all: readonly Endpoint[];
  /**
   * Runs `work` on an endpoint; when it fails there, on the next, until one succeeds. An endpoint is probed before
   * its first work, and after it was down. One that refuses the work in words that do not tell whether it is down is
   * asked for its chain and head, and, where it tells them, once more. When all are down it throws an
   * EndpointUnavailableError or a RateLimitedError (disposition `wait`); when all serve another chain a ConfigError;
   * when some are down and the others cannot do it a BlockUnavailableError (`not-yet`); else the error that blames
   * the block or the data rather than the connection. A VerificationError puts the endpoint aside.
   */
  tryEach<T>(work: EndpointWork<T>, options?: TryOptions): Promise<T>;
  /** Probes an endpoint unless it has been. Throws when it is down, or an EndpointError when it is refused. */
  ready(name: string): Promise<void>;
  /** The endpoint served data that was proven wrong, or lags: puts it aside, longer every time. */
  blame(name: string, reason: string): void;
  /** The endpoint was seen to have this block as its head. */
  sawHead(name: string, number: number): void;
  /** Refuses, now or when it is probed, every endpoint that serves another chain. */
  expectChain(chainId: number): void;
  /** Uses this part of the configured limits from now on: above 0, at most 1. */
  setShare(share: number): void;
  status(): EndpointStatus[];
  /** Ends what is open. Requests that are out fail. */
  close(): Promise<void>;
}

/** An endpoint as people read of it. */
export interface EndpointStatus {
  name: string;
  /** `resting`: not asked until `until`, or until a probe succeeds. `refused`: serves another chain. */
  state: "up" | "resting" | "refused";
  /** Why it rests, rested last, lags, or is refused. */
  reason: string | null;
  /** When the rest ends, in milliseconds since 1970. */
  until: number | null;
  /** It rests for what it served, rather than for being away. */
  aside: boolean;
  /** Milliseconds since it was asked, or last answered, while it is asked and does not answer; null: it does. */
  silentMs: number | null;
  /** Of one request, on average. */
  latencyMs: number | null;
  inFlight: number;
  /** How many requests may be in flight now. */
  limit: number;
  head: number | null;
  /** Blocks behind the newest head that any endpoint was seen to have. */
  lag: number | null;
  /** Another chain that it serves now, though it served the right one before; null: it does not. */
  servesOther: number | null;
  capabilities: Capabilities;
}

/**
 * The endpoints that a configuration names. `share` is the part of the limits that this process may use
 * (ChildSettings.rpcShare), `chainId` the chain that the schema holds.
 */
export function endpointsOf(
  rpc: Config["rpc"],
  log: Logger,
  {
    share = 1,
    chainId,
    counts,
  }: { share?: number; chainId?: number | undefined; counts?: Counts | undefined } = {},
): Endpoints {
  const settings = rpc.urls.map(
    (each): EndpointSettings => (typeof each === "string" ? { url: each } : each),
  );
  const names = endpointNames(settings.map(({ url }) => url));
  return createEndpoints({
    chainId,
    counts,
    endpoints: settings.map((each, i) => ({
      url: each.url,
      name: names[i] ?? "",
      timeoutMs: each.timeout_ms ?? rpc.timeout_ms,
      maxResponseBytes: rpc.max_response_mb * 1_048_576,
      ...defined({
        weight: each.weight,
        batchSize: each.batch_size,
        maxInFlight: each.max_in_flight,
        compress: each.compress,
      }),
      requestsPerSecond: each.requests_per_second,
      share,
      logRange: each.log_range,
    })),
    onFailure: (endpoint, error) => log.info({ endpoint: endpoint.name, err: error }, "endpoint failed"),
  });
}

export function createEndpoints({
  endpoints,
  chainId,
  askAgainMs,
  noSayAfterMs = 600_000,
  counts,
  onFailure,
}: EndpointsOptions): Endpoints {
  let expected = chainId;
  const admit = (serves: number, name: string): string | null => {
    expected ??= serves;
    return serves === expected ? null : `${name} serves chain ${serves}, not chain ${expected}`;
  };
  const members = endpoints.map((options) => {
    const endpoint = createEndpoint({ ...options, counts });
    const onBlamed = (times = 1): void => counts?.add("blockmill_rpc_blamed_total", [endpoint.name], times);
    // So that a rate knows where it begins.
    onBlamed(0);
    const member = new Member(endpoint, endpoint.capabilities.batchSize, admit, askAgainMs);
    member.health.onAside = () => onBlamed();
    return member;
  });
  const context = {
    members,
    hedges: new HedgeBudget(),
    noSayAfterMs,
    onFailure: (endpoint: Endpoint, error: unknown) => onFailure?.(endpoint, error),
  };
  const named = (name: string) => members.find((each) => each.name === name);

  return {
    all: members.map(({ endpoint }) => endpoint),
    tryEach: (work, options) => tryEach(context, work, options),
    async ready(name) {
      const member = named(name);
      try {
        await member?.makeReady();
      } catch (error) {
        member?.failed(error);
        throw error;
      }
    },
    blame: (name, reason) => named(name)?.health.putAside(reason),
    sawHead: (name, number) => named(name)?.sawHead(number),
    expectChain(chainId) {
      expected = chainId;
      for (const { endpoint, health } of members) {
        const serves = endpoint.capabilities.chainId;
        const refusal = serves === null ? null : admit(serves, endpoint.name);
        if (refusal !== null) health.refuse(refusal);
      }
    },
    setShare(share) {
      for (const { endpoint } of members) endpoint.setShare(share);
    },
    status: () => statusOf(members),
    async close() {
      for (const { endpoint } of members) endpoint.close();
    },
  };
}

function statusOf(members: readonly Member[]): EndpointStatus[] {
  const newest = Math.max(...members.map(({ head }) => head?.number ?? -1));
  return members.map(({ name, endpoint, health, head, isRefused, servesOther }) => {
    const { inFlight, limit, latencyMs, silentMs } = endpoint.load;
    const rests = health.isResting || (!health.proven && health.reason !== null);
    return {
      name,
      state: isRefused ? "refused" : rests ? "resting" : "up",
      reason: health.reason,
      until: rests && !isRefused ? Math.ceil(Date.now() + health.restsForMs) : null,
      aside: health.isAside,
      silentMs: silentMs === undefined ? null : Math.round(silentMs),
      latencyMs: latencyMs === undefined ? null : Math.round(latencyMs * 10) / 10,
      inFlight,
      limit,
      head: head?.number ?? null,
      lag: head === undefined ? null : newest - head.number,
      servesOther,
      capabilities: { ...endpoint.capabilities },
    };
  });
}

/** What a process tells people of its endpoints (processing_workers.doing). */
export function describeEndpoints(
  endpoints: Endpoints,
): Omit<EndpointStatus, "capabilities" | "inFlight" | "limit" | "servesOther">[] {
  return endpoints.status().map(({ capabilities, inFlight, limit, servesOther, ...rest }) => rest);
}

/** What a process measures of its endpoints at this moment. */
export function endpointGauges(endpoints: Endpoints): Series {
  const states = endpoints.status();
  return {
    blockmill_rpc_in_flight_requests: states.map(({ name, inFlight }) => [[name], inFlight]),
    blockmill_rpc_limit_requests: states.map(({ name, limit }) => [[name], limit]),
    blockmill_endpoint_processes: states.flatMap(({ name, state }) =>
      (["up", "resting", "refused"] as const).map((each): [string[], number] => [
        [name, each],
        Number(state === each),
      ]),
    ),
    blockmill_chain_head_block: states.flatMap(({ name, head }): [string[], number][] =>
      head === null ? [] : [[[name], head]],
    ),
  };
}

/** Without the keys that are undefined, so that the defaults hold. */
function defined<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** The endpoint that an error blames, by its name. */
export function blamed(error: unknown): string | undefined {
  const endpoint = error instanceof BlockmillError ? error.facts.endpoint : undefined;
  return typeof endpoint === "string" ? endpoint : undefined;
}
