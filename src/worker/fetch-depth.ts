import type { FetchSlots } from "../pipeline/fetch-slots.js";

/** How many blocks a worker fetches at the same time at least, and before it knows how far away the node is. */
export const leastDepth = 8;
/** So much more than would do are fetched at once: so it is seen when more would come. */
const roomToGrow = 1.5;
/** What is seen in less than so much time tells of a moment only: batches come in bursts. */
const leastMs = 200;
/** A worker that computes for this part of its time has enough to do. */
const busyEnough = 0.9;
/** What blocks that are being fetched, parsed and encoded may take, in bytes, ... */
const memoryBytes = 64 * 1024 * 1024;
/** ... and how much that is for each byte of their rows: the answers as they came, or else as text and as objects. */
const bytesPerRowByte = { direct: 3, long: 8 };

/** What a block takes until its rows are there, in bytes, from the size of its rows and the way it goes. */
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
 * How many blocks to fetch at the same time: so many as come in the time that a node takes to answer (Little's law), with
 * room to grow. So a node that is far away keeps a worker nearly as busy as one nearby. What comes sooner than it can be
 * stored would only wait, and take memory.
 */
export function depthFor({ perMs, waitMs }: { perMs: number; waitMs: number }): number {
  return leastDepth + Math.round(roomToGrow * perMs * waitMs);
}

/** How many blocks of so many bytes under way there is memory for; one always. */
export function roomFor(blockBytes: number): number {
  return Math.max(1, Math.floor(memoryBytes / Math.max(1, blockBytes)));
}

/** Keeps the depth. Times are as performance.now() tells them. */
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

  /** Forgets what was seen since it last changed the depth. */
  begin(now: number): void {
    this.#blocks = 0;
    this.#waitMs = Number.POSITIVE_INFINITY;
    this.#since = now;
  }

  /**
   * A batch whose turn it is has been prepared: so many blocks, one or more, which took `bytes` until their rows were
   * there, of a node that took `waitMs` to answer, at best. The depth follows when as many blocks have come as are fetched
   * at once, and a while has passed; where they are too large for it, at once.
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
