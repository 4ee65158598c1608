/** So much of the worker's own time suffices to spread the cost of a commit, ... */
const enoughMs = 60;
/** ... and a batch should take at most so much of it. */
const busyTargetMs = 250;
/** So long after the one before it, it should be done, however far away the node is. */
const targetMs = 2_000;
/** Below this part of what it may take, the next one may as well be four times as large. */
const littleShare = 1 / 8;
/** Its rows may take so much memory, in bytes. */
const mostRowBytes = 10 * 1024 * 1024;

/**
 * How many jobs to claim next. It starts at one, and grows while full batches cost the worker little: light blocks go
 * in large batches. Of a node that is far away more batches are begun, not larger ones. It shrinks in proportion when a
 * batch takes longer: heavy blocks do not blow a worker up.
 */
export function nextBatchSize(seen: {
  current: number;
  claimed: number;
  /** How long the worker computed while the batch was prepared. */
  busyMs: number;
  /** How long that took, with what it waited for. */
  tookMs: number;
  /** Bytes of a block's rows, on average; 0: not known. */
  rowBytes: number;
  max: number;
}): number {
  const { current, claimed, busyMs, tookMs, rowBytes } = seen;
  if (claimed === 0) return current;
  const room = rowBytes === 0 ? seen.max : Math.floor(mostRowBytes / rowBytes);
  const max = Math.max(1, Math.min(seen.max, room));
  const share = Math.max(busyMs / busyTargetMs, tookMs / targetMs);
  if (share > 2) return Math.max(1, Math.min(max, Math.floor(claimed / share)));
  const isToGrow = claimed >= current && share < 1 && busyMs < enoughMs;
  return Math.min(max, isToGrow ? current * (share < littleShare ? 4 : 2) : current);
}
