import { type EraPreset, type Eras, PRESETS } from "./eras.js";

/** What a chain is made of. Equal options give equal bytes, in every process. */
export interface ChainOptions {
  seed: number;
  chainId: number;
  /** The first block that exists; 0 is a genesis without transactions. Default 0. */
  start: number;
  /** Per block: a count, a list that is repeated (its first item is block `start`), or a function (in-process only). */
  transactions: number | readonly number[] | ((number: number) => number);
  /** The mean; 0 gives none. */
  logsPerTransaction: number;
  /** `real`: `from` can be recovered. `random`: r and s are noise and `from` is arbitrary. */
  signatures: "real" | "random";
  eras: Eras;
  /**
   * Numbers at which a branch has no block, as Filecoin's null rounds: the next block's parent is the last one before them.
   * `*`: of every branch that is not named.
   */
  nullRounds: Readonly<Record<string, readonly number[]>>;
  /** Seconds since 1970 of block 0, and between blocks. */
  timestamp: { first: number; step: number };
}

/** What may be asked for; everything has a default. */
export type ChainWishes = Partial<Omit<ChainOptions, "eras">> & { eras?: EraPreset | Partial<Eras> };

export function chainOptions(wishes: ChainWishes = {}): ChainOptions {
  const { eras = "prague", ...rest } = wishes;
  return {
    seed: 1,
    chainId: 1,
    start: 0,
    transactions: 5,
    logsPerTransaction: 2,
    signatures: "real",
    nullRounds: {},
    timestamp: { first: 1_600_000_000, step: 12 },
    ...rest,
    eras: typeof eras === "string" ? PRESETS[eras] : { ...PRESETS.prague, ...eras },
  };
}

/** How many transactions the block has. */
export function transactionCount({ transactions, start }: ChainOptions, number: number): number {
  if (number === 0) return 0;
  if (typeof transactions === "number") return transactions;
  if (typeof transactions === "function") return transactions(number);
  return transactions[(number - start) % transactions.length] ?? 0;
}
