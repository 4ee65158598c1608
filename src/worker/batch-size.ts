/** A batch should take so much of the worker's own time: enough to spread the cost of a commit, ... */
const busyTargetMs = 250;
/** ... and be done after so long, however far away the node is: a worker that dies loses little. */
const targetMs = 2_000;

/**
 * How many jobs to claim next. It starts at one, doubles while full batches stay well within both targets,
 * and shrinks in proportion when one takes longer: so light blocks go in large batches and heavy ones
 * do not blow a worker up.
 */
export function nextBatchSize(seen: {
  current: number;
  claimed: number;
  /** How long the worker computed while the batch was prepared. */
  busyMs: number;
  /** How long that took, with what it waited for. */
  tookMs: number;
  max: number;
}): number {
  const { current, claimed, busyMs, tookMs, max } = seen;
  if (claimed === 0) return current;
  const share = Math.max(busyMs / busyTargetMs, tookMs / targetMs);
  if (share > 2) return Math.max(1, Math.floor(claimed / share));
  if (claimed >= current && share < 1) return Math.min(max, current * 2);
  return Math.min(current, max);
}
