import type { Hex } from "../../block.js";

const kept = 1_024;

/**
 * Tells heads that are news from those that several endpoints, or one of them twice, tell of. A hash may
 * be news again: a chain can go from A to B and back to A. So a head is news when one channel has
 * announced it more often than was passed on before; announcing it twice in a row counts once.
 */
export class SeenHeads {
  /** By hash, the oldest first. */
  readonly #heads = new Map<Hex, { passedOn: number; announced: Map<string, number> }>();
  readonly #last = new Map<string, Hex>();

  /** Whether the head is to be passed on. `channel`: one subscription of one endpoint, or its polls. */
  isNews(channel: string, hash: Hex): boolean {
    if (this.#last.get(channel) === hash) return false;
    this.#last.set(channel, hash);
    const head = this.#heads.get(hash) ?? { passedOn: 0, announced: new Map() };
    this.#heads.delete(hash);
    this.#heads.set(hash, head);
    const [oldest] = this.#heads.keys();
    if (this.#heads.size > kept && oldest !== undefined) this.#heads.delete(oldest);
    const times = (head.announced.get(channel) ?? 0) + 1;
    head.announced.set(channel, times);
    if (times <= head.passedOn) return false;
    head.passedOn = times;
    return true;
  }

  /** Whether anybody told of it. */
  has(hash: Hex): boolean {
    return this.#heads.has(hash);
  }
}
