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
