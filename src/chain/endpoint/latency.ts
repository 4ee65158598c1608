/** Durations that the percentile looks back on. */
const kept = 64;
/** The share that the newest duration has in the average. */
const newest = 0.2;

/** How long something takes, in milliseconds: an average that follows, and a percentile of the last ones. */
export class Latency {
  readonly #last: number[] = [];
  #count = 0;
  #average: number | undefined;

  /** The exponentially weighted average; undefined before the first. */
  get averageMs(): number | undefined {
    return this.#average;
  }

  add(ms: number): void {
    this.#last[this.#count % kept] = ms;
    this.#count += 1;
    this.#average = this.#average === undefined ? ms : this.#average + newest * (ms - this.#average);
  }

  /** 95 of a hundred were faster; undefined while too few are known to say. */
  p95Ms(): number | undefined {
    if (this.#count < 8) return undefined;
    const sorted = [...this.#last].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.95)];
  }
}
