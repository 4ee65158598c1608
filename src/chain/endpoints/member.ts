import { performance } from "node:perf_hooks";
import {
  BlockNotFoundError,
  ChangedChainError,
  describeError,
  EndpointError,
  RateLimitedError,
} from "../../errors.js";
import { changedChain } from "../endpoint/connection-guard.js";
import type { Endpoint } from "../endpoint/endpoint.js";
import { Latency } from "../endpoint/latency.js";
import { VerificationError } from "../verify/verification-error.js";
import { Health } from "./health.js";
import { probeOptional, probeRequired } from "./probe.js";

/** How long an endpoint that did not have a block is asked for such blocks after the others only. */
const lagMemoryMs = { base: 500, max: 30_000 };
/** How long what was seen of a head is good for a choice. */
const headFreshMs = 2_000;
/** What an endpoint lacked during an outage, or while it limited us, is asked for again this soon. */
const unsureMs = 30_000;
/** A look at whether an endpoint does anything at all takes this long at most, and tells for a moment. */
const sign = { withinMs: 3_000, freshMs: 250 };

/** One endpoint of the set: what is known of it, and whether work may go to it. */
export class Member {
  readonly health = new Health();
  /** Of whole pieces of work, such as the fetching of a block. */
  readonly workLatency = new Latency();
  /** The chooser's account: grows with every piece of work that it gets. */
  charged = 0;
  /** The newest block that it was seen to have. */
  head: { number: number; seenAt: number } | undefined;
  /** Another chain that it serves now, though it served the right one before. */
  servesOther: number | null = null;
  /** The chain that it was admitted with. */
  #admitted: number | undefined;
  #behind: { block: number; until: number; times: number } | undefined;
  #probing: Promise<void> | undefined;
  /** When what it lacks is asked for again, by performance.now(); undefined: it was never seen to lack anything. */
  #askAgainAt: number | undefined;
  #isAskingAgain = false;
  #knowsOptional = false;
  #sign: { serves: Promise<boolean>; at: number } | undefined;

  constructor(
    readonly endpoint: Endpoint,
    readonly configuredBatchSize: number,
    /** Throws a reason to refuse the endpoint, or keeps the chain id as the set's. */
    readonly admit: (chainId: number, name: string) => string | null,
    /** How long what it lacks, or was seen to refuse, is believed. */
    readonly askAgainMs = 600_000,
  ) {}

  get name(): string {
    return this.endpoint.name;
  }

  get isRefused(): boolean {
    return this.health.refusedFor !== null;
  }

  /** Whether work may go to it now, if only by way of a probe. */
  get isOpen(): boolean {
    return !this.isRefused && !this.health.isResting;
  }

  /** Whether it may have the block; an endpoint that lags, or whose head is known to be lower, may not. */
  mayHave(block: number | undefined): boolean {
    const now = performance.now();
    if (this.#behind !== undefined && now < this.#behind.until && (block ?? Infinity) >= this.#behind.block) {
      return false;
    }
    if (block === undefined || this.head === undefined) return true;
    return this.head.number >= block || now - this.head.seenAt > headFreshMs;
  }

  isPruned(block: number | undefined): boolean {
    return block !== undefined && block < this.endpoint.capabilities.lowestBlock;
  }

  sawHead(number: number): void {
    this.head = { number, seenAt: performance.now() };
    if (this.#behind !== undefined && number >= this.#behind.block) this.#behind = undefined;
  }

  /** It did not have a block that another endpoint had. */
  lagged(block: number): void {
    const times = (this.#behind?.times ?? 0) + 1;
    const forMs = Math.min(lagMemoryMs.max, lagMemoryMs.base * 2 ** Math.min(times - 1, 10));
    this.#behind = { block, until: performance.now() + forMs, times };
    this.health.reason = `lags: it did not have block ${block}, which another endpoint had`;
  }

  /** Probes it, unless it is proven. Calls that come while one probes share its probe. */
  async makeReady(): Promise<void> {
    const { proven, refusedFor } = this.health;
    if (refusedFor !== null) throw new EndpointError(refusedFor, { endpoint: this.name });
    if (proven) return this.#reconsider();
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    await this.#probing;
  }

  /**
   * Whether it does anything at all: tells its chain and its head. A look that is under way, or was made a moment ago,
   * is shared. It tells an endpoint that is down from a block that it cannot serve.
   */
  serves(): Promise<boolean> {
    const now = performance.now();
    if (this.#sign === undefined || now > this.#sign.at + sign.freshMs) {
      const serves = probeRequired(this.endpoint, AbortSignal.timeout(sign.withinMs)).then(
        () => true,
        () => false,
      );
      const current = { serves, at: Number.POSITIVE_INFINITY };
      this.#sign = current;
      void serves.then(() => {
        current.at = performance.now();
      });
    }
    return this.#sign.serves;
  }

  async #probe(): Promise<void> {
    const { endpoint } = this;
    const { head, chainId } = await probeRequired(endpoint);
    const refusal = this.admit(chainId, endpoint.name);
    const admitted = this.#admitted;
    if (refusal !== null && admitted !== undefined) {
      throw changedChain({ endpoint: endpoint.name, serves: chainId, expected: admitted });
    }
    endpoint.learn({ chainId });
    if (refusal !== null) {
      this.health.refuse(refusal);
      throw new EndpointError(refusal, { endpoint: endpoint.name });
    }
    this.#admitted = chainId;
    this.servesOther = null;
    // What was learned of it before it was away is still the best guess.
    if (!this.#knowsOptional) {
      const { found, isSure } = await probeOptional(endpoint, head);
      endpoint.learn(found);
      this.#knowsOptional = true;
      if (this.#lacks && !isSure) this.#askAgainAt = performance.now() + Math.min(unsureMs, this.askAgainMs);
    }
    this.sawHead(head.number);
    this.health.proven = true;
  }

  /** Whether it was seen to lack or to refuse anything that work is easier with. */
  get #lacks(): boolean {
    const { finalized, safe, receiptsBy, batchSize, lowestBlock } = this.endpoint.capabilities;
    const isLess = batchSize < this.configuredBatchSize || lowestBlock > 0;
    return !finalized || !safe || receiptsBy === null || isLess;
  }

  /** Asks again, beside the work, for what it lacks: it may have been mended. */
  #reconsider(): void {
    if (!this.#lacks) {
      this.#askAgainAt = undefined;
      return;
    }
    this.#askAgainAt ??= performance.now() + this.askAgainMs;
    if (this.#isAskingAgain || performance.now() < this.#askAgainAt) return;
    this.#isAskingAgain = true;
    void this.#askAgain().finally(() => {
      this.#isAskingAgain = false;
    });
  }

  async #askAgain(): Promise<void> {
    const { endpoint } = this;
    let isSure = false;
    try {
      const { head } = await probeRequired(endpoint);
      endpoint.learn({ batchSize: this.configuredBatchSize, lowestBlock: 0 });
      const answer = await probeOptional(endpoint, head);
      endpoint.learn(answer.found);
      isSure = answer.isSure;
    } catch {
      // The work beside it meets the reason.
    }
    this.#askAgainAt = performance.now() + (isSure ? this.askAgainMs : Math.min(unsureMs, this.askAgainMs));
  }

  /** Work on it went well. */
  succeeded(tookMs: number, block: number | undefined): void {
    this.health.succeeded();
    this.workLatency.add(tookMs);
    if (block !== undefined && block > (this.head?.number ?? -1)) this.sawHead(block);
  }

  /** Work on it failed: draws the consequences. */
  failed(error: unknown): void {
    if (this.isRefused || error instanceof BlockNotFoundError) return;
    const reason = describeError(error, 300);
    if (error instanceof ChangedChainError) {
      this.servesOther = Number(error.facts.serves);
      this.health.distrust(reason);
    } else if (error instanceof RateLimitedError) this.health.slowDown(reason, error.retryAfterMs);
    else if (error instanceof VerificationError) this.health.putAside(reason);
    // A block, or a way of asking, that it does not serve says nothing of the others.
    else if (error instanceof EndpointError) this.health.reason = reason;
    else {
      const retryAfterMs = (error as { facts?: { retryAfterMs?: unknown } } | null)?.facts?.retryAfterMs;
      if (typeof retryAfterMs === "number") this.health.slowDown(reason, retryAfterMs);
      this.health.failed(reason);
    }
  }
}
