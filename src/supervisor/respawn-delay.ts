/** A child that lived so long was no failure to start. */
const healthyMs = 10_000;

/** The longest wait for the successor of a child that could not begin, and of one that could. */
const longestMs = { never: 30_000, begun: 500 };

/**
 * Milliseconds to wait before a dead child is replaced: none for the first, then doubling while children keep dying
 * young. `begun`: it began to work before it died, so that the next one probably will: then work goes on within a
 * second, however often somebody kills it. What a block does to its workers is for the block to pay.
 */
export function respawnDelay(deathsInARow: number, { begun }: { begun: boolean }): number {
  if (deathsInARow <= 1) return 0;
  return Math.min(begun ? longestMs.begun : longestMs.never, 100 * 2 ** Math.min(deathsInARow - 2, 10));
}

/** The deaths in a row after one more, which lived for `livedMs`. */
export function countDeath(deathsInARow: number, livedMs: number): number {
  return livedMs >= healthyMs ? 1 : deathsInARow + 1;
}
