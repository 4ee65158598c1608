// What jsonb cannot hold: https://www.postgresql.org/docs/current/datatype-json.html

import { decimalText, isRawNumber } from "../../exact-number.js";

const MAX_DEPTH = 32;
const MAX_VALUES = 100_000;
const MAX_CHARACTERS = 16 * 1024 * 1024;

const LONE_SURROGATE = /\p{Surrogate}/u;

/** What would have to be true for jsonb to hold this value, or undefined if it can. Bounded, and never recurses far. */
export function unstorableReason(value: unknown): string | undefined {
  return reasonWithin({ values: MAX_VALUES, characters: MAX_CHARACTERS }, value, 0);
}

function reasonWithin(
  left: { values: number; characters: number },
  value: unknown,
  depth: number,
): string | undefined {
  left.values -= 1;
  if (left.values < 0) return `at most ${MAX_VALUES} values`;
  if (depth > MAX_DEPTH) return `at most ${MAX_DEPTH} levels`;
  switch (typeof value) {
    case "string":
      left.characters -= value.length;
      if (left.characters < 0) return `at most ${MAX_CHARACTERS} characters`;
      return value.includes("\0") || LONE_SURROGATE.test(value) ? "Unicode text without NUL" : undefined;
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : "a finite number";
    case "object":
      break;
    default:
      return "a JSON value";
  }
  if (value === null) return undefined;
  if (isRawNumber(value)) return decimalText(value) === undefined ? "a number of fewer digits" : undefined;
  const isList = Array.isArray(value);
  for (const [key, item] of isList ? value.entries() : Object.entries(value)) {
    const reason =
      (isList ? undefined : reasonWithin(left, key, depth)) ?? reasonWithin(left, item, depth + 1);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
