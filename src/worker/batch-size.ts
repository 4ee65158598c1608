/** A batch that costs this much of the worker's own time spreads the cost of its commit: it grows no further. */
const enoughMs = 60;
/** Target for the worker's own time in a batch. */
const busyTargetMs = 250;
/** Target wall time of a batch, also with a distant node. */
const targetMs = 2_000;
/** Below this share of its targets a batch grows fourfold, above it twofold. */
const littleShare = 1 / 8;
/** The most memory that a batch's rows may take, in bytes. */
const mostRowBytes = 10 * 1024 * 1024;

/**
 * How many jobs to claim next. It starts at one and grows while full batches cost the worker little: light blocks go
 * in large batches. A batch that takes more than twice its targets shrinks the next one in proportion: heavy blocks do
 * not blow a worker up. A distant node makes more batches, not larger ones (Pace.isKeptWaiting).
 */
export function nextBatchSize(seen: {
  current: number;
  claimed: number;
  /** How long the worker computed while the batch was prepared. */
  busyMs: number;
  /** How long that took, waiting included. */
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
