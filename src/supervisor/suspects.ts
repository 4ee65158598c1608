/** A worker that starts within so long after the death is told of it. */
const heldMs = 10_000;

/** Endpoints at whose answers workers died a moment ago, by their places in rpc.urls. */
export class Suspects {
  readonly #since = new Map<number, number>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  add(endpoint: number): void {
    this.#since.set(endpoint, this.#now());
  }

  now(): number[] {
    const from = this.#now() - heldMs;
    return [...this.#since].flatMap(([endpoint, at]) => (at >= from ? [endpoint] : []));
  }
}
