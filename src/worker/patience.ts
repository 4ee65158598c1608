import { setTimeout as sleep } from "node:timers/promises";
import { withLinkedSignal } from "../linked-signal.js";

/** The longest wait between two looks at whether what was down is up again. */
const maxWaitMs = 1_000;

export interface PatienceOptions {
  /** From 0 to below 1. */
  random?(): number;
  /** Resolves after `ms`; rejects when `signal` aborts. */
  wait?(ms: number, signal: AbortSignal): Promise<unknown>;
}

/** How a worker waits for what is down. */
export class Patience {
  /** Aborts when the worker is to stop. */
  readonly #stopping: AbortSignal;
  readonly #random: () => number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Aborts at the next `end`. */
  #away = new AbortController();

  constructor(
    stopping: AbortSignal,
    { random = Math.random, wait = (ms, signal) => sleep(ms, undefined, { signal }) }: PatienceOptions = {},
  ) {
    this.#stopping = stopping;
    this.#random = random;
    this.#wait = wait;
  }

  /** The database answers again: whoever waits tries at once. */
  end(): void {
    this.#away.abort();
    this.#away = new AbortController();
  }

  /** Waits a random while, below a bound that doubles with `times`; until `end`, or until the worker is to stop. */
  async wait(times: number): Promise<void> {
    const ms = this.#random() * Math.min(maxWaitMs, 50 * 2 ** Math.min(times, 10));
    await withLinkedSignal([this.#stopping, this.#away.signal], (signal) => this.#wait(ms, signal)).catch(
      () => {},
    );
  }
}
