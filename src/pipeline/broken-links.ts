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
}: {
  blocks: readonly (Linked & { number: number })[];
  neighbours: ReadonlyMap<number, Linked>;
  wrong: ReadonlySet<number>;
  span: BlockSpan;
}): BrokenLink[] {
  const inside = new Map<number, Linked>(blocks.map((block) => [block.number, block]));
  const at = (number: number): Linked | undefined => inside.get(number) ?? neighbours.get(number);
  const broken: BrokenLink[] = [];
  const add = (number: number, field: BrokenLink["field"], expected: unknown, actual: unknown) => {
    if (number < span.from || number > span.to) return;
    broken.push({ number, field, expected: String(expected), actual: String(actual) });
  };
  for (const number of new Set(blocks.flatMap((block) => [block.number, block.number + 1]))) {
    const [parent, child] = [at(number - 1), at(number)];
    if (parent === undefined || child === undefined || parent.hash === child.parentHash) continue;
    const [parentIsWrong, childIsWrong] = [wrong.has(number - 1), wrong.has(number)];
    if (childIsWrong || !parentIsWrong) add(number, "parent_hash", parent.hash, child.parentHash);
    if (parentIsWrong || !childIsWrong) add(number - 1, "hash", child.parentHash, parent.hash);
  }
  return broken;
}
