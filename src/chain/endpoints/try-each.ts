import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import {
  BadResponseError,
  BlockmillError,
  BlockNotFoundError,
  BlockUnavailableError,
  ChangedChainError,
  ConfigError,
  dispositionOf,
  EndpointError,
  EndpointUnavailableError,
  RateLimitedError,
} from "../../errors.js";
import type { Endpoint } from "../endpoint/endpoint.js";
import { VerificationError } from "../verify/verification-error.js";
import { choose, chooseIdle } from "./choose.js";
import type { HedgeBudget } from "./hedge-budget.js";
import type { Member } from "./member.js";

export interface TryOptions {
  signal?: AbortSignal | undefined;
  /** Names of endpoints that are not to be asked. */
  except?: readonly string[];
  /** The block that it is about: endpoints that do not have it are asked last, or not at all. */
  block?: number | undefined;
}

/**
 * Work on an endpoint. It should hand `signal` to its requests: it aborts when the caller's does, and
 * when another endpoint was faster.
 */
export type EndpointWork<T> = (endpoint: Endpoint, signal: AbortSignal) => Promise<T>;

export interface TryContext {
  members: readonly Member[];
  hedges: HedgeBudget;
  /** See EndpointsOptions. */
  noSayAfterMs: number;
  onFailure(endpoint: Endpoint, error: unknown): void;
}

/** An endpoint keeps so many of the newest blocks, even where it prunes all others. */
const recentBlocks = 16;
/** When nobody is open, a rest that ends within this is waited for. */
const patienceMs = 1_000;
/** A second endpoint is asked after so long, or three times what 95 of a hundred take. */
const hedgeAfterMs = { least: 200, unknown: 1_000 };

interface Attempt<T> {
  member: Member;
  /** Never rejects. */
  outcome: Promise<{ attempt: Attempt<T>; value: T } | { attempt: Attempt<T>; error: unknown }>;
  cancel(): void;
}

/**
 * Runs `work` on one endpoint after the other, each at most once, until it succeeds. When one takes
 * unusually long, a second works beside it and the faster one counts. See Endpoints.tryEach.
 */
export async function tryEach<T>(
  { members, hedges, noSayAfterMs, onFailure }: TryContext,
  work: EndpointWork<T>,
  { signal, except = [], block }: TryOptions = {},
): Promise<T> {
  const asked = new Set(members.filter(({ name }) => except.includes(name)));
  const running = new Set<Attempt<T>>();
  const failures = new Map<Member, unknown>();
  const deadline = performance.now() + patienceMs;
  const aborted = abortOf(signal);
  let hasHedged = false;

  const start = (member: Member): void => {
    asked.add(member);
    running.add(startAttempt(member, work, { signal, block }));
  };
  hedges.earn();
  try {
    for (;;) {
      signal?.throwIfAborted();
      if (running.size === 0) {
        const next = choose(members, { asked, block });
        if (next !== undefined) start(next);
        else if (!(await restEnds({ members, asked, block, failures, deadline, aborted }))) break;
        else continue;
      }
      const [first] = running;
      const canHedge = !hasHedged && running.size === 1 && members.length > 1;
      const slow = canHedge && first !== undefined ? slowness(first.member) : undefined;
      const event = await Promise.race([
        ...[...running].map(({ outcome }) => outcome),
        aborted.promise,
        ...(slow === undefined ? [] : [slow.promise]),
      ]);
      slow?.clear();
      if (event === "slow") {
        hasHedged = true;
        const second = hedges.canSpend ? chooseIdle(members, { asked, block }) : undefined;
        if (second !== undefined) {
          hedges.spend();
          start(second);
        }
      } else if (event !== "aborted" && "value" in event) {
        // It has ended: only a slower one is to be cancelled.
        running.delete(event.attempt);
        learnFromFailures({ failures, block, members, succeeded: true });
        return event.value;
      } else if (event !== "aborted") {
        const { attempt, error } = event;
        running.delete(attempt);
        const { member } = attempt;
        failures.set(member, error);
        member.failed(error);
        // Nothing was done yet: it may be asked again when it has rested, if that is soon.
        if (error instanceof RateLimitedError && !except.includes(member.name)) asked.delete(member);
        onFailure(member.endpoint, error);
      }
    }
  } finally {
    for (const each of running) each.cancel();
    aborted.clear();
  }
  learnFromFailures({ failures, block, members, succeeded: false });
  throw verdict({ members, asked, failures, block, noSayAfterMs });
}

function startAttempt<T>(
  member: Member,
  work: EndpointWork<T>,
  { signal: outer, block }: TryOptions,
): Attempt<T> {
  const controller = new AbortController();
  // Each of the work's requests listens to it.
  setMaxListeners(0, controller.signal);
  const pass = (): void => controller.abort(outer?.reason);
  outer?.addEventListener("abort", pass, { once: true });
  const runOnce = async (): Promise<T> => {
    const started = performance.now();
    const value = await work(member.endpoint, controller.signal);
    member.succeeded(performance.now() - started, block);
    return value;
  };
  const run = async (): Promise<T> => {
    await member.makeReady();
    try {
      return await runOnce();
    } catch (error) {
      if (controller.signal.aborted || !isDoubtful(error)) throw error;
      if (!(await member.serves())) throw asUnavailable(error);
      controller.signal.throwIfAborted();
      if (error instanceof EndpointUnavailableError) throw asBlockUnavailable(error);
      if (error instanceof BlockNotFoundError) throw error;
    }
    // It may have been down for a moment, and be back.
    return runOnce();
  };
  const attempt: Attempt<T> = {
    member,
    outcome: run()
      .then(
        (value) => ({ attempt, value }),
        (error: unknown) => ({ attempt, error }),
      )
      .finally(() => outer?.removeEventListener("abort", pass)),
    cancel: () => controller.abort(new DOMException("another endpoint was faster", "AbortError")),
  };
  return attempt;
}

/** What does not tell whether the endpoint is down, or refuses this work alone. */
function isDoubtful(error: unknown): error is BlockmillError {
  if (error instanceof ChangedChainError) return false;
  if (error instanceof EndpointUnavailableError) return true;
  // Said by an error, rather than by a plain null.
  if (error instanceof BlockNotFoundError) return error.facts.code !== undefined;
  const mayBe = error instanceof EndpointError || error instanceof BadResponseError;
  return mayBe && error.facts.refusal === "unclear";
}

/** It does nothing at all: what it said of the work is an outage by another name. */
function asUnavailable(error: BlockmillError): EndpointUnavailableError {
  if (error instanceof EndpointUnavailableError) return error;
  return new EndpointUnavailableError(
    error.message,
    { ...error.facts, refusal: "unavailable" },
    { cause: error },
  );
}

/** It serves, but not this: the work alone has to wait. */
function asBlockUnavailable(error: EndpointUnavailableError): BlockUnavailableError {
  return new BlockUnavailableError(error.message, error.facts, { cause: error });
}

/** Resolves when the work on a member takes longer than it should. */
function slowness({ workLatency }: Member): { promise: Promise<"slow">; clear(): void } {
  const p95 = workLatency.p95Ms();
  const afterMs = p95 === undefined ? hedgeAfterMs.unknown : Math.max(hedgeAfterMs.least, 3 * p95);
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<"slow">((resolve) => {
    timer = setTimeout(() => resolve("slow"), afterMs);
  });
  return { promise, clear: () => clearTimeout(timer) };
}

/** Waits for the next endpoint that ends its rest, if that is soon. False: there is none. */
async function restEnds(options: {
  members: readonly Member[];
  asked: ReadonlySet<Member>;
  block: number | undefined;
  failures: ReadonlyMap<Member, unknown>;
  deadline: number;
  aborted: { promise: Promise<"aborted"> };
}): Promise<boolean> {
  const { members, asked, block, failures, deadline, aborted } = options;
  // What an endpoint said about the block is worth more than to wait for another one's word.
  if ([...failures.values()].some((error) => dispositionOf(error) !== "wait")) return false;
  const rests = members
    .filter((each) => !asked.has(each) && !each.isRefused && !each.isPruned(block))
    .map(({ health }) => health.restsForMs);
  const soonest = Math.min(...rests);
  if (performance.now() + soonest > deadline) return false;
  let timer: NodeJS.Timeout | undefined;
  const rested = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, soonest + 1);
  });
  await Promise.race([rested, aborted.promise]);
  clearTimeout(timer);
  return true;
}

/** What a set of failures tells about endpoints that a single one does not. */
function learnFromFailures({
  failures,
  block,
  members,
  succeeded,
}: {
  failures: ReadonlyMap<Member, unknown>;
  block: number | undefined;
  members: readonly Member[];
  succeeded: boolean;
}): void {
  for (const [member, error] of failures) {
    const about = block ?? (error instanceof BlockNotFoundError ? Number(error.facts.block) : Number.NaN);
    if (succeeded && error instanceof BlockNotFoundError && Number.isSafeInteger(about)) member.lagged(about);
    const isPruned = error instanceof EndpointError && error.facts.pruned === true;
    // Near its head it is no history yet, whatever it says.
    if (isPruned && block !== undefined && block <= (member.head?.number ?? 0) - recentBlocks) {
      const { lowestBlock } = member.endpoint.capabilities;
      member.endpoint.learn({ lowestBlock: Math.max(lowestBlock, block + 1) });
    }
  }
  // When all say the same, it is the block that is special, or our rules: no reason to stop everything.
  const lied = [...failures].filter(([, error]) => error instanceof VerificationError);
  if (!succeeded && lied.length === members.length) for (const [member] of lied) member.health.forgive();
}

/** The error that tells most about why nobody succeeded. */
function verdict({
  members,
  asked,
  failures,
  block,
  noSayAfterMs,
}: {
  members: readonly Member[];
  asked: ReadonlySet<Member>;
  failures: ReadonlyMap<Member, unknown>;
  block: number | undefined;
  noSayAfterMs: number;
}): unknown {
  const refused = members.filter(({ isRefused }) => isRefused);
  if (refused.length > 0 && refused.length === members.length) {
    return new ConfigError(`rpc.urls: ${refused.map(({ health }) => health.refusedFor).join("; ")}`);
  }
  const errors = [...failures].filter(([member]) => !member.isRefused).map(([, error]) => error);
  const away = members.filter(
    (each) =>
      !each.isRefused &&
      !each.isPruned(block) &&
      (asked.has(each) ? isWait(failures.get(each)) : each.health.isResting && !each.health.isAside) &&
      each.health.awayForMs < noSayAfterMs,
  );
  // An error about the block (it counts an attempt) tells more than one about the connection; but those that are away
  // may know better, unless they have been away for long.
  const telling =
    errors.find((error) => dispositionOf(error) === "retry") ?? errors.find((error) => !isWait(error));
  if (telling !== undefined) {
    return away.length > 0 && dispositionOf(telling) === "retry"
      ? whileAway(telling, { away, noSayAfterMs })
      : telling;
  }
  if (members.length > 0 && members.every((each) => each.isRefused || each.isPruned(block))) {
    return new EndpointError(`no endpoint keeps block ${block}: it is pruned everywhere`, { block });
  }
  if (errors[0] !== undefined) return errors[0];
  const resting = members.filter((each) => !asked.has(each) && !each.isRefused);
  const reasons = resting.map(({ name, health }) => `${name} rests: ${health.reason}`);
  const message = reasons.length > 0 ? reasons.join("; ") : "no other endpoint is configured";
  // Others serve, but have thrown this block away.
  if (reasons.length > 0 && members.some((each) => each.isOpen && each.isPruned(block))) {
    return new BlockUnavailableError(message, { block });
  }
  const retryAfterMs = Math.min(...resting.map(({ health }) => health.restsForMs));
  return new EndpointUnavailableError(message, {
    ...(Number.isFinite(retryAfterMs) ? { retryAfterMs: Math.ceil(retryAfterMs) } : {}),
  });
}

function isWait(error: unknown): boolean {
  return error !== undefined && dispositionOf(error) === "wait";
}

function whileAway(
  error: unknown,
  { away, noSayAfterMs }: { away: readonly Member[]; noSayAfterMs: number },
): BlockUnavailableError {
  const message = error instanceof Error ? error.message : String(error);
  const facts = error instanceof BlockmillError ? error.facts : {};
  const names = away.map(({ name }) => name).join(", ");
  const minutes = Math.ceil(noSayAfterMs / 60_000);
  return new BlockUnavailableError(
    `${message}; waiting for the word of ${names}, which does not answer (at most ${minutes} minutes)`,
    facts,
    { cause: error },
  );
}

function abortOf(signal: AbortSignal | undefined): { promise: Promise<"aborted">; clear(): void } {
  let abort = (): void => {};
  const promise = new Promise<"aborted">((resolve) => {
    abort = () => resolve("aborted");
  });
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  return { promise, clear: () => signal?.removeEventListener("abort", abort) };
}
