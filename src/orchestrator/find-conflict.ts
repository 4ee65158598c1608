import type pg from "pg";
import type { Hex } from "../block.js";
import type { Head } from "../chain/parse/parse-head.js";
import { BlockNotFoundError } from "../errors.js";
import { newestWanted } from "../queue/known-hashes.js";
import { newestStored, newestStoredNumber } from "../store/stored-hashes.js";
import type { HeaderSource } from "./ask-for-headers.js";
import type { CanonicalView } from "./canonical-view.js";
import type { KnownBlocks } from "./known-blocks.js";

/** Where the database and the chain part. */
export interface Conflict {
  /** The lowest block that is dropped. */
  block: number;
  /** The hash that the database, or else the view before, knows of it; null: that the chain has no block there. */
  hash: Hex | null;
  /** The newest block that is stored or asked for by its hash. */
  oldHead: number;
  /** The chain's headers from `block` on; blocks that the database does not know may be left out. */
  branch: readonly Head[];
}

/**
 * Compares the database with the view: what is stored, and what jobs ask for by hash. A block that is
 * just being fetched by its number is taken for what the view `before` had there. Where the view has left
 * the branch of the one before, what is known of that branch above the view's tip is dropped as well.
 */
export function findConflict(
  { claimed, absent = [], wanted, stored }: Omit<KnownBlocks, "absent"> & Partial<KnownBlocks>,
  view: CanonicalView,
  before: CanonicalView,
): Conflict | null {
  const differs = (number: number, hash: Hex | null): boolean => {
    const canonical = view.hashAt(number);
    return canonical === undefined ? hash !== null && view.isAbsent(number) : canonical !== hash;
  };
  const assumed = claimed.flatMap((number): [number, Hex][] => {
    const hash = before.hashAt(number);
    return hash === undefined ? [] : [[number, hash]];
  });
  const left = before.headers.find(({ number, hash }) => differs(number, hash));
  const without = absent.map((number): [number, null] => [number, null]);
  const known = [...without, ...assumed, ...wanted, ...stored];
  const dropped = known.filter(([number, hash]) => {
    if (view.hashAt(number) !== undefined || view.isAbsent(number)) return differs(number, hash);
    return left !== undefined && hash !== null && before.hashAt(number) === hash;
  });
  if (dropped.length === 0) return null;
  const block = Math.min(...dropped.map(([number]) => number), left?.number ?? Infinity);
  const found = dropped.findLast(([number]) => number === block);
  const hash = found === undefined ? before.hashAt(block) : found[1];
  if (hash === undefined) return null;
  const oldHead = Math.max(...known.map(([number]) => number));
  return { block, hash, oldHead, branch: view.above(block - 1) };
}

/**
 * Looks below a view that does not link to the one before it: compares the stored blocks with the chain,
 * from the view's tail down. Null: they are the chain's. `too deep`: `limit` blocks do not suffice.
 */
export async function findConflictBelow(
  pool: pg.Pool,
  view: CanonicalView,
  limit: number,
  source: HeaderSource,
): Promise<Conflict | "too deep" | null> {
  const { tail } = view;
  if (tail === undefined) return null;
  const oldHead = Math.max((await newestStoredNumber(pool)) ?? 0, (await newestWanted(pool)) ?? 0);
  let lowest: { number: number; hash: Hex } | undefined;
  let same: number | undefined;
  const stored = await newestStored(pool, { below: tail.number, limit });
  for (const block of stored) {
    // Neighbours in the table link (check-links.ts): a parent of the chain's block is the chain's. Behind
    // a hole nothing is known; but what lies deeper than could be undone is not looked for there.
    const isParent = same === block.number + 1;
    if (same !== undefined && !isParent && block.number <= oldHead - limit) break;
    if (isParent || (await source.headerUpTo(block.number)).hash === block.hash) same = block.number;
    else lowest = block;
  }
  if (lowest === undefined) return null;
  if (same === undefined && stored.length === limit) return "too deep";
  const below = await branchBelow(tail, { ...lowest, top: Math.min(oldHead, tail.number - 1) }, source);
  const parent = stored.find(({ number }) => number === same && number === lowest.number - 1);
  const branch = [...below, ...view.headers];
  if (parent !== undefined && branch[0]?.parentHash !== parent.hash) throw changed(lowest.number);
  return { block: lowest.number, hash: lowest.hash, oldHead, branch };
}

/**
 * The ancestors of a view's tail that the database knows another block of. Where it knows the tail's
 * parent they are walked to by hash. Else any number of blocks may lie between, and the chain is asked by
 * number: then it must still be the view's.
 */
async function branchBelow(
  tail: Head,
  { number: lowest, top }: { number: number; top: number },
  { fetchByHash, headerAt, headerUpTo, walkDown }: HeaderSource,
): Promise<readonly Head[]> {
  const isParent = top === tail.number - 1;
  const first = await (isParent ? fetchByHash(tail.parentHash, top) : headerUpTo(top));
  // Where the chain skips numbers there may be none of it left.
  const below = first.number < lowest ? [] : await walkDown(first, lowest);
  if (isParent) return below;
  if ((await headerAt(tail.number)).hash !== tail.hash) throw changed(tail.number);
  return below;
}

function changed(block: number): BlockNotFoundError {
  return new BlockNotFoundError(`the chain changed at block ${block} while it was looked at`, { block });
}
