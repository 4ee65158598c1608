/**
 * Children load in turn: at most `limit` at once, the others in the order in which they came. To load takes a
 * child a core for a while, and all of them at once would only make each other slow.
 */
export class StartGate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = Math.max(1, limit);
  }

  /** Resolves when a child may load, with what says that it has; undefined: `signal` aborted before. */
  async enter(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#turn(signal))) return undefined;
    let isIn = true;
    const leave = (): void => {
      if (isIn) this.#leave();
      isIn = false;
    };
    if (!signal.aborted) return leave;
    leave();
    return undefined;
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }

  /** Whether it came; false: `signal` aborted. */
  #turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const take = (): void => {
        signal.removeEventListener("abort", giveUp);
        resolve(true);
      };
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        resolve(false);
      };
      this.#waiting.push(take);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  }
}
