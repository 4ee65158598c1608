import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hex } from "../../src/block.js";
import { assertAbsent, assertLinked, BrokenLinkError, storedAround } from "../../src/store/check-links.js";

const hashOf = (name: string): Hex => `0x${Buffer.from(name).toString("hex").padStart(64, "0")}`;
const block = (number: number, name: string, parent: string) => ({
  number,
  hash: hashOf(name),
  parentHash: hashOf(parent),
});
const absent = new Set([6, 7]);

test("neighbours link across numbers at which the chain has no block", () => {
  const [five, eight] = [block(5, "a5", "a4"), block(8, "a8", "a5")];
  assertLinked([eight], [five], absent);
  assertLinked([five], [eight], absent);
  assert.throws(() => assertLinked([block(8, "b8", "b5")], [five], absent), BrokenLinkError);
  assert.throws(() => assertLinked([block(5, "b5", "b4")], [eight], absent), BrokenLinkError);
  assertLinked([block(8, "b8", "b5")], [five]);
  const [numbers] = storedAround([eight], absent).query.values as [number[]];
  assert.deepEqual(numbers, [5, 8, 9]);
});

test("that a number has no block fits only to what is stored around it", () => {
  const proof = { parent: { number: 5, hash: hashOf("a5") }, child: { number: 8, hash: hashOf("a8") } };
  assertAbsent(6, proof, []);
  assertAbsent(6, proof, [block(5, "a5", "a4"), block(8, "a8", "a5"), block(6, "x", "y")]);
  for (const other of [block(5, "b5", "a4"), block(8, "b8", "b7"), block(7, "b7", "b6")])
    assert.throws(() => assertAbsent(6, proof, [other]), BrokenLinkError, String(other.number));
});
