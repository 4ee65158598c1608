// Changes to a JSON document of the kind that broken and hostile servers make.

import fc from "fast-check";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One change: where (an index into all places of the document, taken modulo their number), and what. */
export interface Change {
  at: number;
  how: "replace" | "delete" | "repeat" | "move";
  value: unknown;
}

interface Place {
  holder: Json[] | { [key: string]: Json };
  key: string | number;
}

/** Stands for a value that is nested more deeply than a report could print. */
const deepMark = "\u0001deep";

const deep = (levels: number): unknown => {
  let value: unknown = [];
  for (let i = 0; i < levels; i += 1) value = i % 2 === 0 ? [value] : { nested: value };
  return value;
};

const texts = [
  ...["", "0x", "0x0", "0x00", "0x1", "0X1", " 0x1", "0x1 ", "0x-1", "-0x1", "0xg", "1", "1e3", "null"],
  ...[`0x${"f".repeat(63)}`, `0x${"f".repeat(64)}`, `0x${"f".repeat(65)}`, `0x${"0".repeat(64)}`],
  ...[`0x${"ab".repeat(20)}`, `0x${"AB".repeat(20)}`, `0x${"ab".repeat(50_000)}`, `0x${"a".repeat(4_097)}`],
  ...[
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udfff",
    "\u202e0x1",
    "\u{1f984}",
    "0x\uff11",
    "'; drop table blocks; --",
  ],
  ...["__proto__", "constructor", "x".repeat(100_000)],
];
const others = [
  ...[null, true, false, 0, 1, -1, 0.5, 2 ** 53, -(2 ** 53), 1e308, -1e308, 5e-324],
  ...[[], {}, [null], [[]], { length: 3 }, { toString: 1, valueOf: 2 }, deep(50), deepMark],
  JSON.parse(
    '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
  ) as unknown,
];

/** What a field is replaced by. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...texts, ...others) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 80 }) },
  { weight: 2, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 257n }).map((value) => `0x${value.toString(16)}`) },
);

export const changes: fc.Arbitrary<Change[]> = fc.array(
  fc.record({
    at: fc.nat(1_000_000),
    how: fc.oneof(
      { weight: 5, arbitrary: fc.constant("replace" as const) },
      { weight: 2, arbitrary: fc.constant("delete" as const) },
      { weight: 1, arbitrary: fc.constantFrom("repeat" as const, "move" as const) },
    ),
    value: hostileValue,
  }),
  { minLength: 1, maxLength: 3 },
);

/** A changed copy of a document. */
export function changed(document: Json, list: readonly Change[]): Json {
  const root: { document: Json } = { document: structuredClone(document) };
  for (const { at, how, value } of list) {
    const places = placesOf(root);
    const place = places[at % places.length];
    // A copy: the same value may be put into itself.
    const put = value === deepMark ? deep(2_000) : structuredClone(value);
    if (place !== undefined) change(place, how, put as Json);
  }
  return root.document ?? null;
}

function change({ holder, key }: Place, how: Change["how"], value: Json): void {
  if (Array.isArray(holder)) {
    const index = Number(key);
    if (how === "delete") holder.splice(index, 1);
    else if (how === "repeat") holder.splice(index, 0, structuredClone(holder[index] ?? null));
    else if (how === "move") holder.push(...holder.splice(index, 1));
    else holder[index] = value;
    return;
  }
  if (how === "delete") delete holder[key];
  else if (how === "move") {
    const moved = holder[key] ?? null;
    delete holder[key];
    holder[`${key}_`] = moved;
  } else holder[key] = value;
}

function placesOf(root: { document: Json }): Place[] {
  const places: Place[] = [];
  // Not by recursion: what was put in may be nested too deeply for that.
  const open: Json[] = [root];
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    if (typeof holder !== "object" || holder === null) continue;
    const keys: (string | number)[] = Array.isArray(holder) ? [...holder.keys()] : Object.keys(holder);
    for (const key of keys) {
      places.push({ holder, key });
      const inside = (holder as Record<string | number, Json>)[key];
      if (inside !== undefined) open.push(inside);
    }
  }
  return places;
}
