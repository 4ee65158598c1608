import type pg from "pg";
import type { BlockSpan } from "../block.js";
import { findCompleted } from "../queue/gaps.js";
import { storedBounds } from "../store/stored-numbers.js";

/**
 * At most `count` numbers of a span, in order, drawn evenly from the blocks that are stored as far as the
 * queue knows. Where the queue knows of none, from whatever lies between the stored blocks.
 */
export async function sampleStored(
  pool: pg.Pool,
  { from, to, count }: BlockSpan & { count: number },
): Promise<number[]> {
  const claimed = await findCompleted(pool, [{ from, to }]);
  return drawNumbers(claimed.length > 0 ? claimed : await between(pool, { from, to }), count);
}

async function between(pool: pg.Pool, span: BlockSpan): Promise<BlockSpan[]> {
  const stored = await storedBounds(pool);
  if (stored === null) return [];
  const both = { from: Math.max(span.from, stored.from), to: Math.min(span.to, stored.to) };
  return both.from > both.to ? [] : [both];
}

/** Draws numbers from spans, each as likely as any other and at most once; all of them if there are no more than `count`. */
export function drawNumbers(spans: readonly BlockSpan[], count: number, random = Math.random): number[] {
  const total = spans.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  // Floyd's: as many draws as numbers, whatever share of the whole they are.
  const places = new Set<number>();
  for (let last = Math.max(0, total - count); last < total; last += 1) {
    const place = Math.floor(random() * (last + 1));
    places.add(places.has(place) ? last : place);
  }
  const sorted = [...places].sort((a, b) => a - b);
  const numbers: number[] = [];
  let before = 0;
  let next = 0;
  for (const { from, to } of spans) {
    const length = to - from + 1;
    for (; next < sorted.length && (sorted[next] ?? 0) < before + length; next += 1)
      numbers.push(from + (sorted[next] ?? 0) - before);
    before += length;
  }
  return numbers;
}
