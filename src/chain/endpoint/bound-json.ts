/** Lists and objects within each other. A block's deepest are the storage keys of an access list: six. */
const maxDepth = 64;
/** Values of any kind. The largest blocks have some 500,000, of some 60 bytes each. */
const maxValues = 4_000_000;
/** Below this many bytes of text the number of values is bounded by the text itself. */
const fewBytes = 1 << 20;
/** Beyond that, the least bytes that a value has on average. */
const leastBytesPerValue = 12;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const opensList = 0x5b;
const closesList = 0x5d;
const opensObject = 0x7b;
const closesObject = 0x7d;

/**
 * Which bound a text exceeds, as "at most 64 levels": it would become too many values, or values too deep within each
 * other, and a few megabytes of brackets become gigabytes. Null: none. What is no JSON at all is left to the parser.
 * Looks at each string's ends only.
 */
export function exceededBound(text: string): string | null {
  const most = Math.min(maxValues, Math.max(fewBytes, text.length) / leastBytesPerValue);
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
    } else if (code === comma) {
      values += 1;
    } else if (code === opensList || code === opensObject) {
      depth += 1;
      values += 1;
      if (depth > maxDepth) return `at most ${maxDepth} levels`;
    } else if (code === closesList || code === closesObject) {
      depth -= 1;
    } else continue;
    if (values > most) return `at most ${Math.floor(most)} values`;
  }
  return null;
}

/** The place of a string's closing quote; the text's last place where it has none. */
function endOfString(text: string, start: number): number {
  let at = start;
  do {
    at = text.indexOf('"', at + 1);
    if (at === -1) return text.length;
  } while (isEscaped(text, at));
  return at;
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === backslash) before -= 1;
  return (at - before) % 2 === 0;
}
