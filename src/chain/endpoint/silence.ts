/** After the last request nobody knows whether it would answer. */
const forgottenMs = 15_000;

/** How long an endpoint that is asked has not answered. A hanging one is known by it long before its requests time out. */
export class Silence {
  readonly #now: () => number;
  #open = 0;
  #since: number | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** A request goes out. */
  asked(): void {
    this.#open += 1;
    this.#askedAt = this.#now();
    this.#since ??= this.#askedAt;
  }

  /** Something came back for a request: an answer, a refusal, an error of the connection; anything but a timeout. */
  answered(): void {
    this.#since = this.#open > 1 ? this.#now() : undefined;
  }

  /** A request is over, however it went. */
  done(): void {
    this.#open -= 1;
  }

  /** Undefined: it answers, or is not asked. */
  get ms(): number | undefined {
    const isAsked = this.#open > 0 || this.#now() - this.#askedAt < forgottenMs;
    return this.#since === undefined || !isAsked ? undefined : this.#now() - this.#since;
  }
}
