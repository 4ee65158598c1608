import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hex } from "../../src/block.js";
import { abiDataOf, uintArrayAt, wordAt, wordToQuantity } from "../../src/decode/abi-words.js";

const words = (...values: (number | bigint)[]): Hex =>
  `0x${values.map((value) => value.toString(16).padStart(64, "0")).join("")}`;

/** The array whose offset is the first word. */
function arrayIn(...values: (number | bigint)[]) {
  const data = abiDataOf(words(...values));
  assert(data !== undefined);
  return uintArrayAt(data, 0);
}

test("data is whole words, or none", () => {
  assert.equal(abiDataOf("0x")?.words, 0);
  assert.equal(abiDataOf(words(1, 2))?.words, 2);
  assert.equal(abiDataOf("0x00"), undefined);
});

test("a word is a number without leading zeros, and there is none behind the last", () => {
  const data = abiDataOf(words(0, 255, 2n ** 256n - 1n));
  assert(data !== undefined);
  assert.deepEqual(
    [0, 1, 2, 3].map((index) => wordAt(data, index)),
    ["0x0", "0xff", `0x${"f".repeat(64)}`, undefined],
  );
  assert.equal(wordToQuantity("0".repeat(64)), "0x0");
});

test("an array is as long as it says, as long as that lies within the data", () => {
  assert.deepEqual(arrayIn(32, 2, 7, 8), ["0x7", "0x8"]);
  assert.deepEqual(arrayIn(32, 0), []);
  assert.deepEqual(arrayIn(64, 9, 1, 5), ["0x5"]);
});

test("an array that is longer than its data, lies beyond it or between its words is none", () => {
  assert.equal(arrayIn(32, 3, 7, 8), undefined);
  assert.equal(arrayIn(32, 2n ** 256n - 1n, 7), undefined);
  assert.equal(arrayIn(96, 1, 7), undefined);
  assert.equal(arrayIn(33, 1, 7), undefined);
  assert.equal(arrayIn(2n ** 255n, 1, 7), undefined);
});
