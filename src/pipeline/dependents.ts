// What is made of stored rows, and must hear of every change of them. Only change-rows.ts tells it.

import type { BlockSpan, Hex } from "../block.js";
import type { Tx } from "../db/pool.js";
import { uncoverDecoded } from "../decode/coverage.js";
import { chainFeed } from "../feed/chain-feed.js";
import type { Feed } from "../feed/feed.js";

/** Three lists, in the order in which they hear of a change: a sum may be of derived rows. */
export interface Dependents {
  sums: readonly Sum[];
  derived: readonly Derivation[];
  feeds: readonly Feed[];
}

/** The name of what event tables are, as a derivation. */
export const eventTablesName = "event tables";

/** What this program makes of stored rows. Event tables' rows go with those of their block: chain_tables lists them. */
export const dependents: Dependents = {
  sums: [],
  derived: [{ name: eventTablesName, forget: uncoverDecoded }],
  feeds: [chainFeed],
};

/** Blocks whose rows are about to go, or to be replaced. */
export interface TakenBlocks {
  /** In order, and apart from each other. */
  spans: readonly BlockSpan[];
  /** The stored blocks in them, in order. */
  stored: readonly StoredRef[];
}

/** A stored block as the door finds it. */
export interface StoredRef {
  number: number;
  hash: Hex;
  /** Null: it was written without one. */
  digest: Hex | null;
  /** Its rows are, byte for byte, those that were written: they have its digest. */
  isIntact: boolean;
}

/** Totals over rows of blocks, with a coverage: the blocks that they count. Adding to them takes the door's lock too. */
export interface Sum {
  name: string;
  /**
   * Takes blocks out of the totals and out of their coverage, by the same SELECT that added them, over the rows as they
   * still are. A covered block of `spans` that is not stored, or not intact, was changed by somebody who did not go
   * through the door, and nobody knows what was added for it: then the totals are emptied, and nothing is covered.
   */
  takeAway(tx: Tx, taken: TakenBlocks): Promise<void>;
}

/** Rows that a decoder or a transform made of blocks, with a coverage. */
export interface Derivation {
  name: string;
  /** Removes what was made of these blocks, and takes them out of its coverage. */
  forget(tx: Tx, spans: readonly BlockSpan[]): Promise<void>;
}
