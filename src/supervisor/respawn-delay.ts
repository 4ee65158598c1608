/** A child that lived so long was no failure to start. */
const healthyMs = 10_000;

/**
 * Milliseconds to wait before a dead child is replaced: none for the first, then doubling up to 30 s
 * while children keep dying young.
 */
export function respawnDelay(deathsInARow: number): number {
  return deathsInARow <= 1 ? 0 : Math.min(30_000, 100 * 2 ** Math.min(deathsInARow - 2, 10));
}

/** The deaths in a row after one more, which lived for `livedMs`. */
export function countDeath(deathsInARow: number, livedMs: number): number {
  return livedMs >= healthyMs ? 1 : deathsInARow + 1;
}
