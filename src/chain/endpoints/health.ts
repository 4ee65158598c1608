import { performance } from "node:perf_hooks";

export interface HealthOptions {
  /** From 0 to 1; Math.random unless stated. */
  random?(): number;
}

/** Failures in a row after which an endpoint rests. */
const failuresToRest = 3;
/** Successes in a row after which earlier rests are forgotten. */
const successesToForget = 20;
const restMs = { base: 250, max: 30_000 };
/** After each time that it asked to slow down, since it last served; longer where it asks for longer. */
const slowDownMs = { base: 250, max: 30_000 };
/** After data that was proven wrong, or a head that lagged. */
const asideMs = { base: 10_000, max: 600_000 };
/** An endpoint that was put aside and behaved for so long begins anew. */
const forgetAsideMs = 3_600_000;

/**
 * A circuit breaker. Work goes to an endpoint until it has failed several times in a row, asks us to slow
 * down, or is put aside for data that was proven wrong. Then it rests, longer every time, with jitter so
 * that our processes do not come back together. After the rest it is `unproven`: it must be probed first.
 */
export class Health {
  /** Whether it answered a probe since it last failed. */
  proven = false;
  /** Why it rests, or rested last. */
  reason: string | null = null;
  /** Told whenever it is put aside for what it served. */
  onAside: (() => void) | undefined;
  /** Why it is never asked again: it serves another chain. */
  refusedFor: string | null = null;
  readonly #random: () => number;
  #restUntil = 0;
  #failures = 0;
  #rests = 0;
  #successes = 0;
  #slowDowns = 0;
  #asides = 0;
  #asideAt = Number.NEGATIVE_INFINITY;
  #isAside = false;
  /** By performance.now(). */
  #awaySince: number | undefined;

  constructor({ random = Math.random }: HealthOptions = {}) {
    this.#random = random;
  }

  /** Milliseconds since it failed first, of those in which it never served anything; 0: it did. */
  get awayForMs(): number {
    return this.#awaySince === undefined ? 0 : performance.now() - this.#awaySince;
  }

  get isResting(): boolean {
    return this.restsForMs > 0;
  }

  /** Milliseconds that are left of the rest; 0: none. */
  get restsForMs(): number {
    return Math.max(0, this.#restUntil - performance.now());
  }

  /** Whether it rests for what it served, rather than for being away. */
  get isAside(): boolean {
    return this.#isAside && this.isResting;
  }

  succeeded(): void {
    this.#awaySince = undefined;
    this.#failures = 0;
    this.#slowDowns = 0;
    this.#successes += 1;
    if (this.#successes < successesToForget) return;
    this.#rests = 0;
    this.reason = null;
  }

  /** A request failed through the endpoint's fault. One that was not proven yet rests at once. */
  failed(reason: string): void {
    this.#successes = 0;
    this.#awaySince ??= performance.now();
    this.#failures += 1;
    if (this.proven && this.#failures < failuresToRest) return;
    // Requests that were out together fail together: once is enough.
    if (this.isResting) return;
    this.proven = false;
    this.#isAside = false;
    this.#rests += 1;
    this.#rest(reason, this.#grown(restMs, this.#rests));
  }

  /** What it was proven to be does not hold any more: it rests, and is probed after it. */
  distrust(reason: string): void {
    this.proven = false;
    this.failed(reason);
  }

  /**
   * The endpoint asks us to slow down; `forMs` is what it asked for. "Retry-After: 0" does not mean at once: what is waited
   * grows with each time that it says so in a row, and is longer where it asks for longer.
   */
  slowDown(reason: string, forMs: number | undefined): void {
    this.#successes = 0;
    this.#awaySince ??= performance.now();
    if (forMs === undefined && this.isResting) return;
    // Requests that were out together are refused together: that is one more.
    if (!this.isResting) this.#slowDowns += 1;
    this.#rest(reason, Math.max(forMs ?? 0, this.#grown(slowDownMs, this.#slowDowns)));
  }

  /** It served data that was proven wrong, or what amounts to it. */
  putAside(reason: string): void {
    const now = performance.now();
    if (now - this.#asideAt > forgetAsideMs) this.#asides = 0;
    this.#asideAt = now;
    this.#asides += 1;
    this.proven = false;
    this.#isAside = true;
    this.onAside?.();
    this.#rest(reason, this.#grown(asideMs, this.#asides));
  }

  /** Takes a `putAside` back: it was not the endpoint's fault. */
  forgive(): void {
    this.#asides = Math.max(0, this.#asides - 1);
    this.#restUntil = 0;
    this.#isAside = false;
    this.proven = true;
  }

  refuse(reason: string): void {
    this.refusedFor = reason;
    this.reason = reason;
  }

  #rest(reason: string, forMs: number): void {
    this.reason = reason;
    this.#failures = 0;
    this.#restUntil = Math.max(this.#restUntil, performance.now() + forMs);
  }

  /** The n-th rest: twice as long as the one before, and random in its upper half. */
  #grown({ base, max }: { base: number; max: number }, n: number): number {
    return Math.min(max, base * 2 ** Math.min(n - 1, 20)) * (0.5 + this.#random() / 2);
  }
}
