/** How many blocks a worker begins to fetch at the same time, before it knows how far away the node is. */
export const initialDepth = 8;
/** A worker that computes for this part of its time has enough to do. */
const busyEnough = 0.9;
/** What blocks that are being fetched, parsed and encoded may take, in bytes, ... */
const memoryBytes = 64 * 1024 * 1024;
/** ... and how much that is for each byte of their rows: the answers, as text and as objects. */
const bytesPerRowByte = 8;

/**
 * How many blocks to fetch at the same time from now on. It grows while blocks wait for a slot although the
 * worker is not busy: so a node that is far away keeps it as busy as one nearby. Large blocks come fewer at
 * a time.
 */
export function nextDepth(seen: {
  current: number;
  /** Some block waited for a slot. */
  hadToWait: boolean;
  /** The part of its time that the worker computed, from 0 to 1. */
  utilization: number;
  /** Bytes of a block's rows, on average; 0: not known. */
  rowBytes: number;
  max: number;
}): number {
  const { current, hadToWait, utilization, rowBytes, max } = seen;
  const room = rowBytes === 0 ? max : Math.floor(memoryBytes / (rowBytes * bytesPerRowByte));
  const wanted = hadToWait && utilization < busyEnough ? Math.ceil(current * 1.5) : current;
  return Math.max(1, Math.min(wanted, room, max));
}
