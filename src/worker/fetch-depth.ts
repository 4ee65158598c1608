import type { FetchSlots } from "../pipeline/fetch-slots.js";

/** How many blocks a worker begins to fetch at the same time, before it knows how far away the node is. */
export const initialDepth = 8;
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
 * How many blocks to fetch at the same time from now on: so many as come in the time that a node takes to answer (Little's
 * law), with room to grow. So a node that is far away keeps a worker as busy as one nearby. What comes sooner than it can
 * be stored would only wait, and take memory. Large blocks come fewer at a time.
 */
export function nextDepth(seen: {
  /** Blocks that came in a millisecond. */
  perMs: number;
  /** How long a node takes to answer, at best. */
  waitMs: number;
  /** Bytes that a block takes until its rows are there, on average; 0: not known. */
  blockBytes: number;
  max: number;
}): number {
  const { perMs, waitMs, blockBytes, max } = seen;
  const room = blockBytes === 0 ? max : Math.floor(memoryBytes / blockBytes);
  return Math.max(1, Math.min(initialDepth + Math.round(roomToGrow * perMs * waitMs), room, max));
}

/** Keeps the depth: looks each time when as many blocks have come as are fetched at once. */
export class FetchDepth {
  readonly #slots: FetchSlots;
  readonly #max: number;
  #blocks = 0;
  #bytes = 0;
  #waitMs = Number.POSITIVE_INFINITY;
  #since: number;

  /** `now` is as performance.now() tells it, here and below. */
  constructor({ slots, max, now }: { slots: FetchSlots; max: number; now: number }) {
    this.#slots = slots;
    this.#max = max;
    this.#since = now;
  }

  /** A batch whose turn it is has been prepared. `bytes` is what its blocks took until their rows were there. */
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
    this.#bytes += bytes;
    this.#waitMs = Math.min(this.#waitMs, waitMs);
    const ms = now - this.#since;
    if (ms < leastMs || this.#blocks < this.#slots.limit) return;
    this.#slots.limit = nextDepth({
      perMs: this.#blocks / ms,
      waitMs: this.#waitMs,
      blockBytes: this.#bytes / this.#blocks,
      max: this.#max,
    });
    this.#blocks = 0;
    this.#bytes = 0;
    this.#waitMs = Number.POSITIVE_INFINITY;
    this.#since = now;
  }
}
