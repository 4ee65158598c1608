const firstMs = 60_000;
const longestMs = 1_800_000;
/** A start may take so many times as long as the slowest one that came to its end. */
const slack = 4;

/**
 * How long a child may load before it is killed. It has nothing to do with how long one that works may be silent: on
 * a busy machine loading takes what it takes, and to kill what only needs time would have it begin again. So the limit
 * grows with what is seen, and doubles with each child that was killed for it.
 */
export class StartLimit {
  #ms = firstMs;

  get ms(): number {
    return this.#ms;
  }

  /** A child had loaded after so many milliseconds. */
  loaded(tookMs: number): void {
    this.#raise(tookMs * slack);
  }

  /** A child was killed since it had not. */
  killed(): void {
    this.#raise(this.#ms * 2);
  }

  #raise(ms: number): void {
    this.#ms = Math.min(longestMs, Math.max(this.#ms, ms));
  }
}
