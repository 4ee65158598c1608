import type { FetchSlots } from "../pipeline/fetch-slots.js";

/** The fewest blocks that a worker fetches at the same time, also before it knows the node's latency. */
export const leastDepth = 8;
/** Blocks that are fetched at once, for each one that comes while the node answers: above 1, so that a faster node shows. */
const roomToGrow = 1.5;
/** The shortest time over which blocks are counted: batches come in bursts. */
const leastMs = 200;
/** A worker that computes for this share of its time has enough to do. */
const busyEnough = 0.9;
/** The most memory that blocks may take while they are fetched, parsed and encoded, in bytes. */
const memoryBytes = 64 * 1024 * 1024;
/** What a block takes meanwhile, for each byte of its rows: the answers' bytes, or else text and objects. */
const bytesPerRowByte = { direct: 3, long: 8 };

/** The memory that a block takes until its rows are there, in bytes, from its rows' size and its way. */
export function bytesUnderWay(rowBytes: number, way: keyof typeof bytesPerRowByte): number {
  return rowBytes * bytesPerRowByte[way];
}

/**
 * Whether a worker that fetches one batch after the other would compute for too little of its time. `busyMs` is how
 * long it computes for a batch, `waitMs` how long a node takes to answer, at best.
 */
export function isKeptWaiting({ busyMs, waitMs }: { busyMs: number; waitMs: number }): boolean {
  return busyMs < (busyMs + waitMs) * busyEnough;
}

/**
 * How many blocks to fetch at the same time: those that come while the node answers (Little's law), with room to
 * grow. So a distant node keeps a worker nearly as busy as a near one. More would only wait to be stored, in memory.
 */
export function depthFor({ perMs, waitMs }: { perMs: number; waitMs: number }): number {
  return leastDepth + Math.round(roomToGrow * perMs * waitMs);
}

/** How many blocks there is memory for, when each takes `blockBytes` under way; at least one. */
export function roomFor(blockBytes: number): number {
  return Math.max(1, Math.floor(memoryBytes / Math.max(1, blockBytes)));
}

/** Sets the limit of `slots` to the depth that the batches ask for. Times are as performance.now() tells them. */
export class FetchDepth {
  readonly #slots: FetchSlots;
  readonly #max: number;
  #blocks = 0;
  #waitMs = Number.POSITIVE_INFINITY;
  #since = 0;

  constructor({ slots, max, now }: { slots: FetchSlots; max: number; now: number }) {
    this.#slots = slots;
    this.#max = max;
    this.begin(now);
  }

  /** Begins to count anew. */
  begin(now: number): void {
    this.#blocks = 0;
    this.#waitMs = Number.POSITIVE_INFINITY;
    this.#since = now;
  }

  /**
   * A batch has been prepared in its turn: one block or more, which took `bytes` under way together, from a node that
   * took at least `waitMs` to answer. The depth follows once as many blocks have come as are fetched at once, and 200 ms
   * have passed. Where the blocks are too large for the memory, it falls at once.
   */
  prepared({
    blocks,
    bytes,
    waitMs,
    now,
  }: {
    blocks: number;
    bytes: number;
    waitMs: number;
    now: number;
  }): void {
    this.#blocks += blocks;
    this.#waitMs = Math.min(this.#waitMs, waitMs);
    const most = Math.min(this.#max, roomFor(bytes / blocks));
    const ms = now - this.#since;
    if (ms < leastMs || this.#blocks < this.#slots.limit) {
      this.#slots.limit = Math.min(this.#slots.limit, most);
      return;
    }
    this.#slots.limit = Math.min(most, depthFor({ perMs: this.#blocks / ms, waitMs: this.#waitMs }));
    this.begin(now);
  }
}
