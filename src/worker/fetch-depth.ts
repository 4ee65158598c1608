/** How many blocks a worker begins to fetch at the same time, before it knows how far away the node is. */
export const initialDepth = 8;
/** A worker that computes for this part of its time has enough to do. */
export const busyEnough = 0.9;
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
 * How many blocks to fetch at the same time from now on. It grows while blocks wait for a slot although the
 * worker is not busy: so a node that is far away keeps it as busy as one nearby. It shrinks when the node has come
 * near, and while the database is slower than the node: what comes sooner would only wait, and take memory.
 * Large blocks come fewer at a time.
 */
export function nextDepth(seen: {
  current: number;
  /** Some block waited for a slot. */
  hadToWait: boolean;
  /** The part of its time that the worker computed, from 0 to 1. */
  utilization: number;
  /** See the function of that name. */
  isKeptWaiting: boolean;
  /** The batch before is still being committed, though this one is prepared. */
  isHeldUp: boolean;
  /** Bytes that a block takes until its rows are there, on average; 0: not known. */
  blockBytes: number;
  max: number;
}): number {
  const { current, hadToWait, utilization, isKeptWaiting, isHeldUp, blockBytes, max } = seen;
  const room = blockBytes === 0 ? max : Math.floor(memoryBytes / blockBytes);
  const less = Math.max(Math.min(initialDepth, current), Math.floor(current * 0.8));
  const hasTime = hadToWait && utilization < busyEnough;
  const more = hasTime ? Math.ceil(current * 1.5) : current;
  const wanted = isHeldUp || !(hasTime || isKeptWaiting) ? less : more;
  return Math.max(1, Math.min(wanted, room, max));
}
