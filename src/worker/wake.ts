/**
 * Hints that there may be work. Taking a `seen` before looking and waiting for a newer one afterwards
 * loses no hint that came in between.
 */
export class Wake {
  #count = 0;
  #waiters: (() => void)[] = [];

  get seen(): number {
    return this.#count;
  }

  hint(): void {
    this.#count += 1;
    const woken = this.#waiters;
    this.#waiters = [];
    for (const each of woken) each();
  }

  /** Resolves as soon as a hint came after `seen`, or `signal` aborts. */
  async after(seen: number, signal: AbortSignal): Promise<void> {
    if (this.#count !== seen || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener("abort", done);
        resolve();
      };
      signal.addEventListener("abort", done);
      this.#waiters.push(done);
    });
  }
}
