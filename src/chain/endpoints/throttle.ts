/** How a request ended, as far as its endpoint's capacity is concerned. */
export type Outcome = "served" | "too-much" | "other";

export interface ThrottleOptions {
  /** The most requests at once. */
  maxInFlight: number;
  /** Calls per second; undefined: as many as go. */
  requestsPerSecond?: number | undefined;
}

/** A cut of the limit answers for everything that was refused in this time. */
const cutEveryMs = 500;
/** Calls that may go out at once after a pause, in seconds' worth. */
const burstSeconds = 0.25;

interface Waiter {
  calls: number;
  go(): void;
}

/**
 * Lets so many requests out at once, and so many calls per second. The first limit adapts as TCP does:
 * halved when the endpoint says that it is too much, raised by one for every round of requests that are
 * served (AIMD), between 1 and `maxInFlight`.
 */
export class Throttle {
  readonly #maxInFlight: number;
  readonly #perSecond: number | undefined;
  readonly #burst: number;
  readonly #waiting: Waiter[] = [];
  #limit: number;
  #tokens: number;
  #filledAt = performance.now();
  #cutAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #inFlight = 0;

  constructor({ maxInFlight, requestsPerSecond }: ThrottleOptions) {
    this.#maxInFlight = Math.max(1, maxInFlight);
    this.#limit = this.#maxInFlight;
    this.#perSecond = requestsPerSecond;
    this.#burst = Math.max(1, (requestsPerSecond ?? 0) * burstSeconds);
    this.#tokens = this.#burst;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The requests that may be out at once, now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Resolves when a request of so many calls may go out; `done` must be called when it has ended. */
  async acquire(calls: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting.length === 0 && this.#mayGo()) {
      this.#take(calls);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        const at = this.#waiting.indexOf(waiter);
        if (at !== -1) this.#waiting.splice(at, 1);
        reject(signal?.reason);
      };
      const waiter = {
        calls,
        go: () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.push(waiter);
      this.#wakeLater();
    });
  }

  done(outcome: Outcome): void {
    this.#inFlight -= 1;
    if (outcome === "served") this.#limit = Math.min(this.#maxInFlight, this.#limit + 1 / this.#limit);
    if (outcome === "too-much") this.#cut();
    this.#wake();
  }

  #cut(): void {
    const now = performance.now();
    if (now - this.#cutAt < cutEveryMs) return;
    this.#cutAt = now;
    this.#limit = Math.max(1, this.#limit / 2);
  }

  #mayGo(): boolean {
    this.#fill();
    // A batch may take more than there is; what comes after it waits until that is paid back.
    return this.#inFlight < this.limit && (this.#perSecond === undefined || this.#tokens >= 1);
  }

  #take(calls: number): void {
    this.#inFlight += 1;
    this.#tokens -= calls;
  }

  #fill(): void {
    if (this.#perSecond === undefined) return;
    const now = performance.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1_000) * this.#perSecond);
    this.#filledAt = now;
  }

  #wake(): void {
    while (this.#waiting.length > 0 && this.#mayGo()) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#take(next.calls);
      next.go();
    }
    this.#wakeLater();
  }

  /** When it is only the rate that holds requests back, nothing else would wake them. */
  #wakeLater(): void {
    const perSecond = this.#perSecond;
    if (this.#timer !== undefined || perSecond === undefined || this.#waiting.length === 0) return;
    const missingMs = ((1 - this.#tokens) / perSecond) * 1_000;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#wake();
      },
      Math.max(1, missingMs),
    );
  }
}
