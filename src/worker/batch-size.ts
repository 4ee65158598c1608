/** A batch should take about so long: long enough to spread the cost of a commit, short enough to lose little. */
const targetMs = 250;

/**
 * How many jobs to claim next. It starts at one, doubles while full batches stay well within the target,
 * and shrinks in proportion when one takes longer: so light blocks go in large batches and heavy ones
 * do not blow a worker up.
 */
export function nextBatchSize(options: {
  current: number;
  claimed: number;
  tookMs: number;
  max: number;
}): number {
  const { current, claimed, tookMs, max } = options;
  if (claimed === 0) return current;
  if (tookMs > 2 * targetMs) return Math.max(1, Math.floor((claimed * targetMs) / tookMs));
  if (claimed >= current && tookMs < targetMs) return Math.min(max, current * 2);
  return Math.min(current, max);
}
