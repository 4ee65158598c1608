import type { BlockRef, Hex } from "../block.js";

/** +1 for each announced block that this worker wins (at most 8), -4 for each that it loses; it reads ahead from 4. */
const score = { most: 8, enough: 4, loss: 4 };

interface Begun<T> {
  hash: Hex;
  /** Undefined: it failed. Whoever has the job finds out why, and says so. */
  block: Promise<T | undefined>;
  drop: AbortController;
}

/**
 * Prepares a block as soon as it is announced, while its job is still being made and claimed. Nodes are paid
 * by the request, so it does that only where it is nearly always this worker that is given the job in the end:
 * no work that another one does is done twice.
 */
export class ReadAhead<T> {
  readonly #prepare: (block: BlockRef, signal: AbortSignal) => Promise<T>;
  readonly #discard: (prepared: T) => void;
  #score = 0;
  #last: { hash: Hex; isTaken: boolean } | undefined;
  /** Taken before it was announced: the database was quicker. */
  #early: Hex | undefined;
  #begun: Begun<T> | undefined;

  constructor(options: {
    prepare(block: BlockRef, signal: AbortSignal): Promise<T>;
    /** Takes back what nobody asked for. */
    discard(prepared: T): void;
  }) {
    this.#prepare = options.prepare;
    this.#discard = options.discard;
  }

  /** Tells of a block; it is begun unless the worker is busy, or was not given those before it. */
  announced(block: BlockRef, { isIdle }: { isIdle: boolean }): void {
    if (block.hash === this.#last?.hash) return;
    if (this.#last?.isTaken) this.#score = Math.min(score.most, this.#score + 1);
    else this.#score = Math.max(0, this.#score - score.loss);
    this.#last = { hash: block.hash, isTaken: block.hash === this.#early };
    this.drop();
    if (!isIdle || this.#score < score.enough) return;
    const drop = new AbortController();
    this.#begun = {
      hash: block.hash,
      block: this.#prepare(block, drop.signal).catch(() => undefined),
      drop,
    };
  }

  /**
   * The block with this hash, if it was begun and could be prepared; the job of it is this worker's.
   * `signal` ends it soon.
   */
  async take(hash: Hex, signal: AbortSignal): Promise<T | undefined> {
    if (this.#last?.hash === hash) this.#last.isTaken = true;
    else this.#early = hash;
    const begun = this.#begun;
    if (begun?.hash !== hash) return undefined;
    this.#begun = undefined;
    const end = (): void => begun.drop.abort();
    if (signal.aborted) end();
    signal.addEventListener("abort", end);
    try {
      return await begun.block;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  /** Gives up what was begun and not taken. */
  drop(): void {
    const begun = this.#begun;
    if (begun === undefined) return;
    this.#begun = undefined;
    begun.drop.abort();
    void begun.block.then((prepared) => {
      if (prepared !== undefined) this.#discard(prepared);
    });
  }
}
