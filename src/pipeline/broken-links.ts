import type { BlockSpan } from "../block.js";

interface Linked {
  hash: unknown;
  parentHash: unknown;
}

export interface BrokenLink {
  number: number;
  field: "hash" | "parent_hash";
  expected: string;
  actual: string;
}

/**
 * Stored neighbours of which one does not name the other as its parent. Where one of the two is `wrong`
 * anyway, that explains it; where none is, either may be of another branch, and both are named. Only
 * blocks of `span` are named; `neighbours` are those just below and above `blocks`.
 */
export function brokenLinks({
  blocks,
  neighbours,
  wrong,
  span,
  absent = new Set(),
}: {
  blocks: readonly (Linked & { number: number })[];
  neighbours: ReadonlyMap<number, Linked>;
  wrong: ReadonlySet<number>;
  span: BlockSpan;
  /** Numbers at which the chain has no block: those on both sides of them are neighbours. */
  absent?: ReadonlySet<number>;
}): BrokenLink[] {
  const inside = new Map<number, Linked>(blocks.map((block) => [block.number, block]));
  const at = (number: number): Linked | undefined => inside.get(number) ?? neighbours.get(number);
  const broken: BrokenLink[] = [];
  const add = (number: number, field: BrokenLink["field"], expected: unknown, actual: unknown) => {
    if (number < span.from || number > span.to) return;
    broken.push({ number, field, expected: String(expected), actual: String(actual) });
  };
  const behind = (number: number): number => (absent.has(number + 1) ? behind(number + 1) : number + 1);
  const before = (number: number): number => (absent.has(number - 1) ? before(number - 1) : number - 1);
  for (const number of new Set(blocks.flatMap((block) => [block.number, behind(block.number)]))) {
    const below = before(number);
    const [parent, child] = [at(below), at(number)];
    if (parent === undefined || child === undefined || parent.hash === child.parentHash) continue;
    const [parentIsWrong, childIsWrong] = [wrong.has(below), wrong.has(number)];
    if (childIsWrong || !parentIsWrong) add(number, "parent_hash", parent.hash, child.parentHash);
    if (parentIsWrong || !childIsWrong) add(below, "hash", child.parentHash, parent.hash);
  }
  return broken;
}
