const kept = 32;
/** No node lags, or catches up, by so much while it is of use. */
const farBlocks = 64;

/** When blocks come: learnt from the heads that were seen, in milliseconds of one monotonic clock. */
export class BlockRhythm {
  readonly #intervals: number[] = [];
  #count = 0;
  #newest: { number: number; at: number } | undefined;

  /** When the newest head was seen first. */
  get lastAt(): number | undefined {
    return this.#newest?.at;
  }

  /** The median time between two blocks; undefined before the third. */
  get intervalMs(): number | undefined {
    if (this.#count < 2) return undefined;
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }

  /** A number far from the newest one, in either direction, tells nothing of the rhythm: one of the two may be false. */
  saw(number: number, at: number): void {
    const newest = this.#newest;
    const isFar = newest !== undefined && Math.abs(number - newest.number) > farBlocks;
    if (newest !== undefined && number <= newest.number && !isFar) return;
    if (newest !== undefined && !isFar) {
      this.#intervals[this.#count % kept] = (at - newest.at) / (number - newest.number);
      this.#count += 1;
    }
    this.#newest = { number, at };
  }
}

const leastMs = 50;
const unknownStartMs = 100;

/**
 * How long to wait before the next look at the head: until the next block is nearly due, then in quick
 * steps while it may come any moment, then ever slower while it does not. Never longer than `mostMs`.
 */
export function pollDelayMs({
  intervalMs,
  sinceLastMs,
  mostMs,
}: {
  intervalMs: number | undefined;
  sinceLastMs: number;
  mostMs: number;
}): number {
  const clamp = (ms: number, least: number) => Math.min(mostMs, Math.max(least, ms));
  if (intervalMs === undefined) return clamp(sinceLastMs / 4, unknownStartMs);
  const early = (intervalMs * 7) / 8;
  if (sinceLastMs < early) return clamp(early - sinceLastMs, leastMs);
  if (sinceLastMs < intervalMs * 1.5) return clamp(intervalMs / 16, leastMs);
  return clamp(sinceLastMs / 4, leastMs);
}
