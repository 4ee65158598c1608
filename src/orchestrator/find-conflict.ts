import type pg from "pg";
import type { Hex } from "../block.js";
import { wantedHashes } from "../queue/known-hashes.js";
import { newestStored, storedHashes } from "../store/stored-hashes.js";
import type { CanonicalView } from "./canonical-view.js";

/** Where the database and the chain part. */
export interface Conflict {
  /** The lowest block of which the database knows another hash than the chain. */
  block: number;
  /** The hash that the database knows of it. */
  hash: Hex;
  /** The newest block that is stored or asked for by its hash. */
  oldHead: number;
}

/** Compares what is stored, and what jobs ask for by hash, with the view. */
export async function findConflict(pool: pg.Pool, view: CanonicalView): Promise<Conflict | null> {
  const { tail, tip } = view;
  if (tail === undefined || tip === undefined) return null;
  const wanted = await wantedHashes(pool, tail.number);
  const stored = await storedHashes(pool, tail.number);
  const differing = [...wanted, ...stored].filter(([number, hash]) => {
    const canonical = view.hashAt(number);
    return canonical !== undefined && canonical !== hash;
  });
  const lowest = differing.reduce<[number, Hex] | undefined>(
    (a, b) => (a === undefined || b[0] < a[0] ? b : a),
    undefined,
  );
  if (lowest === undefined) return null;
  const [block, hash] = lowest;
  return { block, hash: stored.get(block) ?? hash, oldHead: Math.max(...wanted.keys(), ...stored.keys()) };
}

/**
 * Looks below a view that does not link to the one before it: walks the stored blocks down from the
 * view's tail until one is the chain's. Returns the lowest stored block that is not; null: the newest
 * one is. `hashAt` is the chain's hash of a number. Throws TooDeep when `limit` blocks do not suffice.
 */
export async function findConflictBelow(
  pool: pg.Pool,
  { tail, limit, hashAt }: { tail: number; limit: number; hashAt(number: number): Promise<Hex> },
): Promise<{ block: number; hash: Hex } | "too deep" | null> {
  const stored = await newestStored(pool, { below: tail, limit });
  let lowest: { block: number; hash: Hex } | null = null;
  for (const { number, hash } of stored) {
    if ((await hashAt(number)) === hash) return lowest;
    lowest = { block: number, hash };
  }
  return stored.length < limit ? lowest : "too deep";
}
