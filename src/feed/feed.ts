import type { BlockSpan } from "../block.js";
import type { Tx } from "../db/pool.js";
import type { LockedCoverage } from "../queue/lock-coverage.js";

/** The steps that readers are told, in the chain's order. Telling the next blocks takes the door's lock too. */
export interface Feed {
  name: string;
  /** Whether anybody is told, as the locked coverage has it. While it is not, no statement is sent for it. */
  isOn(coverage: LockedCoverage): boolean;
  /** Before the rows go: tells which blocks are taken back, and keeps of them what readers need that have not passed. */
  keep(tx: Tx, news: News): Promise<void>;
  /** In the same transaction, when the new rows stand. What was never told of blocks need not be taken back. */
  tell(tx: Tx, news: News): Promise<void>;
}

/** What readers must hear of. One of the three at least is not empty. */
export interface News {
  /** These blocks are not stored any more, or another block stands at their number. */
  reverted: readonly BlockSpan[];
  /** Blocks, in order, that are the same by their hash and have other rows. */
  rewritten: readonly number[];
  /** A decoder's or transform's rows that were made, or made anew. */
  derived: { name: string; spans: readonly BlockSpan[] } | null;
}
