// How much the model tests play, and from which seed. BLOCKMILL_TEST_SEED plays the same scripts again;
// BLOCKMILL_TEST_SCRIPTS plays more or fewer of them than `npm test` does, as the full tier does.

export interface Extent {
  seed: number;
  scripts: number;
}

/** `seed`: where the scripts of `npm test` are always the same; another one each time unless stated. */
export function extentOf({ scripts, seed: usual }: { scripts: number; seed?: number }): Extent {
  const seed = Number(process.env.BLOCKMILL_TEST_SEED ?? usual ?? Date.now() % 2 ** 31);
  return { seed, scripts: Number(process.env.BLOCKMILL_TEST_SCRIPTS ?? scripts) };
}
