/** Lets changes of the line-up happen one after the other. */
export class Turns {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** Makes a change when those before it are made, whatever came of them. */
  take<T>(change: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const turn = this.#last.then(change).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** A change is being made, or waits. */
  get isBusy(): boolean {
    return this.#waiting > 0;
  }
}
