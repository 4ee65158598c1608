import type { BlockSpan } from "../block.js";

/** The same numbers in order, as few spans as possible. */
export function mergeSpans(spans: readonly BlockSpan[]): BlockSpan[] {
  const merged: BlockSpan[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last === undefined || from > last.to + 1) merged.push({ from, to });
    else last.to = Math.max(last.to, to);
  }
  return merged;
}

/** What is left of spans, which are in order and apart from each other, without these numbers, which are in order. */
export function subtractNumbers(spans: readonly BlockSpan[], numbers: readonly number[]): BlockSpan[] {
  const left: BlockSpan[] = [];
  let at = 0;
  for (const { from, to } of spans) {
    let next = from;
    for (let number = numbers[at]; number !== undefined && number <= to; number = numbers[at]) {
      at += 1;
      if (number < next) continue;
      if (number > next) left.push({ from: next, to: number - 1 });
      next = number + 1;
    }
    if (next <= to) left.push({ from: next, to });
  }
  return left;
}
