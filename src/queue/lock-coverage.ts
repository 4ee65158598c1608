import type { Tx } from "../db/pool.js";
import { SchemaError } from "../errors.js";

/** What the coverage's row says, once it is locked. */
export interface LockedCoverage {
  /** Whether readers are told of changes. */
  feed: boolean;
}

/**
 * Holds the coverage until the transaction ends. Whoever changes rows that are stored, counts them, publishes them or
 * archives their jobs waits for everybody else who does, and takes this lock before every other one: so none of them
 * waits in a circle. Whoever writes a block that is not stored needs it not.
 */
export async function lockCoverage(tx: Tx): Promise<LockedCoverage> {
  const { rows } = await tx.query<LockedCoverage>("select feed from processing_coverage for update");
  const [coverage] = rows;
  if (coverage === undefined)
    throw new SchemaError(
      "processing_coverage has no row, so nothing can be archived or rewritten: blockmill init puts it back, and blockmill verify says what is stored",
    );
  return coverage;
}
