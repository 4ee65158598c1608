// How much the model tests play, and from which seed. BLOCKMILL_TEST_SEED plays the same scripts again;
// BLOCKMILL_TEST_SCRIPTS plays more or fewer of them than `npm test` does.

export interface Extent {
  seed: number;
  scripts: number;
}

export function extentOf({ scripts }: { scripts: number }): Extent {
  const seed = Number(process.env.BLOCKMILL_TEST_SEED ?? Date.now() % 2 ** 31);
  return { seed, scripts: Number(process.env.BLOCKMILL_TEST_SCRIPTS ?? scripts) };
}
