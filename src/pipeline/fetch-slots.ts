/**
 * At most `limit` blocks are fetched at the same time, whichever batch they belong to. The others wait, and come in
 * the order in which they asked: the next batch does not hold up the one that was begun first.
 */
export class FetchSlots {
  #limit: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#admit();
  }

  /** How many blocks have a slot, or wait for one. */
  get wanted(): number {
    return this.#taken + this.#waiting.length;
  }

  /** Runs `work` as soon as there is a slot, and passes on what becomes of it. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken < this.#limit) this.#taken += 1;
    else await new Promise<void>((admit) => this.#waiting.push(admit));
    try {
      return await work();
    } finally {
      this.#taken -= 1;
      this.#admit();
    }
  }

  #admit(): void {
    while (this.#taken < this.#limit) {
      const admit = this.#waiting.shift();
      if (admit === undefined) return;
      this.#taken += 1;
      admit();
    }
  }
}
