import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../logger.js";
import type { Child } from "./child.js";
import { killAfterMs } from "./place.js";

/** How a supervisor ends: it drains, and stops when that takes too long or somebody asks for it. */
export class Ending {
  readonly #draining = new AbortController();
  readonly #stopping = new AbortController();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Aborts when no claim is to be made any more. */
  get draining(): AbortSignal {
    return this.#draining.signal;
  }

  /** Aborts when claims are to be given back, and nothing is to be waited for. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Lets the children finish what they hold. After `drainMs` it is as `stop`. */
  drain(children: ReadonlySet<Child>, drainMs: number): void {
    if (this.draining.aborted) return;
    this.#log.info("draining: finishing what is claimed");
    this.#draining.abort();
    for (const child of children) child.send({ type: "drain" });
    const stop = (): void => this.stop(children);
    sleep(drainMs, undefined, { signal: this.stopping, ref: false }).then(stop, () => {});
  }

  /** Has the children, which drain, give their claims back, and ends those that do not end. */
  stop(children: ReadonlySet<Child>): void {
    if (this.stopping.aborted) return;
    this.#log.info("stopping: giving claims back");
    this.#stopping.abort();
    for (const child of children) child.send({ type: "stop" });
    setTimeout(() => {
      for (const child of children) child.kill("SIGKILL");
    }, killAfterMs).unref();
  }

  /** Everything has ended: what still waits need not. */
  isOver(): void {
    this.#stopping.abort();
  }
}
