import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenLinks } from "../../src/pipeline/broken-links.js";

/** Blocks from `first` on, each with its parent's hash and its own: "ab" is a block b whose parent is a. */
function chain(first: number, ...links: string[]) {
  return links.map((link, i) => ({ number: first + i, parentHash: link[0], hash: link[1] }));
}

function broken(
  blocks: ReturnType<typeof chain>,
  {
    neighbours = [],
    wrong = [],
    span = { from: 0, to: 1_000 },
    absent = new Set(),
  }: {
    neighbours?: ReturnType<typeof chain>;
    wrong?: number[];
    span?: { from: number; to: number };
    absent?: Set<number>;
  } = {},
) {
  return brokenLinks({
    blocks,
    neighbours: new Map(neighbours.map((each) => [each.number, each])),
    wrong: new Set(wrong),
    span,
    absent,
  }).map(({ number, field, expected, actual }) => `${number}.${field}: ${expected}, not ${actual}`);
}

test("blocks of which each names the one before it are whole, also beside holes", () => {
  assert.deepEqual(broken([...chain(5, "ab", "bc"), ...chain(9, "xy")]), []);
});

test("where two neighbours do not link and neither is wrong, both are named", () => {
  assert.deepEqual(broken(chain(5, "ab", "xc")), ["6.parent_hash: b, not x", "5.hash: x, not b"]);
});

test("a block that is wrong anyway is named alone", () => {
  assert.deepEqual(broken(chain(5, "ab", "xc"), { wrong: [6] }), ["6.parent_hash: b, not x"]);
  assert.deepEqual(broken(chain(5, "ab", "xc"), { wrong: [5] }), ["5.hash: x, not b"]);
  assert.deepEqual(broken(chain(5, "ab", "xc"), { wrong: [5, 6] }), [
    "6.parent_hash: b, not x",
    "5.hash: x, not b",
  ]);
});

test("the neighbours below and above are compared, and only blocks of the span are named", () => {
  const neighbours = [...chain(4, "wx"), ...chain(6, "yz")];
  const span = { from: 5, to: 5 };
  assert.deepEqual(broken(chain(5, "ab"), { neighbours, span }), [
    "5.parent_hash: x, not a",
    "5.hash: y, not b",
  ]);
});

test("where the chain has no block at a number, those on both sides of it are neighbours", () => {
  const options = { absent: new Set([6, 7]) };
  assert.deepEqual(broken([...chain(5, "ab"), ...chain(8, "bc")], options), []);
  assert.deepEqual(broken([...chain(5, "ab"), ...chain(8, "xc")], options), [
    "8.parent_hash: b, not x",
    "5.hash: x, not b",
  ]);
  assert.deepEqual(broken(chain(8, "xc"), { ...options, neighbours: chain(5, "ab"), wrong: [5] }), [
    "5.hash: x, not b",
  ]);
});
