import { performance } from "node:perf_hooks";
import { BlockNotFoundError, describeError, EndpointError, RateLimitedError } from "../../errors.js";
import type { Endpoint } from "../endpoint/endpoint.js";
import { Latency } from "../endpoint/latency.js";
import { VerificationError } from "../verify/verification-error.js";
import { Health } from "./health.js";
import { probe } from "./probe.js";

/** How long an endpoint that did not have a block is asked for such blocks after the others only. */
const lagMemoryMs = { base: 500, max: 30_000 };
/** How long what was seen of a head is good for a choice. */
const headFreshMs = 2_000;

/** One endpoint of the set: what is known of it, and whether work may go to it. */
export class Member {
  readonly health = new Health();
  /** Of whole pieces of work, such as the fetching of a block. */
  readonly workLatency = new Latency();
  /** The chooser's account: grows with every piece of work that it gets. */
  charged = 0;
  /** The newest block that it was seen to have. */
  head: { number: number; seenAt: number } | undefined;
  #behind: { block: number; until: number; times: number } | undefined;
  #probing: Promise<void> | undefined;

  constructor(
    readonly endpoint: Endpoint,
    readonly configuredBatchSize: number,
    /** Throws a reason to refuse the endpoint, or keeps the chain id as the set's. */
    readonly admit: (chainId: number, name: string) => string | null,
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
    if (proven) return;
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    await this.#probing;
  }

  async #probe(): Promise<void> {
    const { endpoint } = this;
    endpoint.learn({ batchSize: this.configuredBatchSize });
    const { head, ...found } = await probe(endpoint);
    endpoint.learn(found);
    const refusal = this.admit(found.chainId ?? 0, endpoint.name);
    if (refusal !== null) {
      this.health.refuse(refusal);
      throw new EndpointError(refusal, { endpoint: endpoint.name });
    }
    this.sawHead(head.number);
    this.health.proven = true;
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
    if (error instanceof RateLimitedError) this.health.slowDown(reason, error.retryAfterMs);
    else if (error instanceof VerificationError) this.health.putAside(reason);
    else if (error instanceof EndpointError && error.facts.pruned === true) this.health.reason = reason;
    else {
      const retryAfterMs = (error as { facts?: { retryAfterMs?: unknown } } | null)?.facts?.retryAfterMs;
      if (typeof retryAfterMs === "number") this.health.slowDown(reason, retryAfterMs);
      this.health.failed(reason);
    }
  }
}
