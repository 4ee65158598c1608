/** How a request ended, as far as its endpoint's capacity is concerned. */
export type Outcome = "served" | "refused" | "timed-out" | "other";

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
  giveUp(reason: unknown): void;
}

/** After a refusal the rate is set to this part of what was served in the second before, ... */
const refusedRate = 0.9;
/** ... and grows by this factor in a second: fast after the first refusal, which tells least about the rate. */
const growth = { first: 1.25, later: 1.02 };
/** A rate that nobody configured is forgotten when it has grown so much. */
const forgetRateAt = 20;

/**
 * Lets so many requests out at once, and so many calls per second. Both adapt. The first as TCP does:
 * halved when the endpoint refuses or does not answer in time, raised by one for every round of requests
 * that are served (AIMD), between 1 and `maxInFlight`. The second to what the endpoint turned out to
 * serve when it refused more, up to what was configured.
 */
export class Throttle {
  #maxInFlight: number;
  #configuredRate: number | undefined;
  #perSecond: number | undefined;
  #rateAtCut = 0;
  #growth = growth.later;
  readonly #waiting: Waiter[] = [];
  #limit: number;
  #tokens: number;
  #filledAt = performance.now();
  #cutAt = Number.NEGATIVE_INFINITY;
  #servedSince = performance.now();
  #served = 0;
  #servedBefore = 0;
  #timer: NodeJS.Timeout | undefined;
  #inFlight = 0;

  constructor({ maxInFlight, requestsPerSecond }: ThrottleOptions) {
    this.#maxInFlight = Math.max(1, maxInFlight);
    this.#limit = this.#maxInFlight;
    this.#configuredRate = requestsPerSecond;
    this.#perSecond = requestsPerSecond;
    this.#tokens = this.#burst;
  }

  /** Other bounds from now on. What was learnt of the endpoint's capacity holds within them. */
  allow({ maxInFlight, requestsPerSecond }: ThrottleOptions): void {
    const wasOpen = this.#limit >= this.#maxInFlight;
    this.#maxInFlight = Math.max(1, maxInFlight);
    this.#limit = wasOpen ? this.#maxInFlight : Math.min(this.#limit, this.#maxInFlight);
    this.#fill();
    const wasCut = this.#rateAtCut !== 0;
    this.#configuredRate = requestsPerSecond;
    if (!wasCut) this.#perSecond = requestsPerSecond;
    else if (requestsPerSecond !== undefined)
      this.#perSecond = Math.min(this.#perSecond ?? requestsPerSecond, requestsPerSecond);
    this.#wake();
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
        giveUp: (reason: unknown) => {
          signal?.removeEventListener("abort", abort);
          reject(reason);
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.push(waiter);
      this.#wakeLater();
    });
  }

  done(outcome: Outcome, calls: number): void {
    this.#inFlight -= 1;
    this.#countServed(outcome === "served" ? calls : 0);
    if (outcome === "served") this.#limit = Math.min(this.#maxInFlight, this.#limit + 1 / this.#limit);
    if (outcome === "refused" || outcome === "timed-out") this.#cut(outcome);
    this.#wake();
  }

  /** Lets nobody wait any longer. */
  close(reason: unknown): void {
    clearTimeout(this.#timer);
    for (const { giveUp } of this.#waiting.splice(0)) giveUp(reason);
  }

  /** Calls that it may be asked at once. */
  get #burst(): number {
    return Math.max(1, (this.#perSecond ?? 0) * burstSeconds);
  }

  #cut(outcome: Outcome): void {
    const now = performance.now();
    if (now - this.#cutAt < cutEveryMs) return;
    this.#cutAt = now;
    this.#limit = Math.max(1, this.#limit / 2);
    if (outcome !== "refused") return;
    this.#fill();
    const served = Math.max(this.#served, this.#servedBefore) * refusedRate;
    // Where nothing was served it was no rate that was too high, but an outage by that name: what comes after it is tried fast.
    this.#growth = this.#rateAtCut === 0 || served === 0 ? growth.first : growth.later;
    // A quiet second before says little: never less than half of the rate that was.
    const { least, most } =
      this.#perSecond === undefined
        ? { least: 1, most: served }
        : { least: this.#perSecond / 2, most: this.#perSecond * refusedRate };
    this.#perSecond = Math.max(1, least, Math.min(most, served));
    this.#rateAtCut = this.#perSecond;
    this.#tokens = Math.min(this.#tokens, 0);
  }

  /** Keeps the numbers of calls that were served in this second and in the one before. */
  #countServed(calls: number): void {
    const seconds = Math.floor((performance.now() - this.#servedSince) / 1_000);
    if (seconds >= 1) {
      this.#servedBefore = seconds === 1 ? this.#served : 0;
      this.#served = 0;
      this.#servedSince += seconds * 1_000;
    }
    this.#served += calls;
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
    const now = performance.now();
    const seconds = (now - this.#filledAt) / 1_000;
    this.#filledAt = now;
    if (this.#perSecond === undefined) {
      this.#tokens = 0;
      return;
    }
    this.#tokens = Math.min(this.#burst, this.#tokens + seconds * this.#perSecond);
    if (this.#rateAtCut === 0) return;
    const most = this.#configuredRate ?? this.#rateAtCut * forgetRateAt;
    this.#perSecond = Math.min(most, this.#perSecond * this.#growth ** seconds);
    if (this.#perSecond === most) [this.#perSecond, this.#rateAtCut] = [this.#configuredRate, 0];
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
