import assert from "node:assert/strict";
import { test } from "node:test";
import { unstorableReason } from "../../../src/chain/parse/unstorable-reason.js";

/** A list in a list, so many times. */
const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i += 1) value = [value];
  return value;
};

test("what JSON says can be stored", () => {
  for (const value of [null, true, 1.5, "text", "😀", [], {}, { a: [1, { b: null }] }])
    assert.equal(unstorableReason(value), undefined, JSON.stringify(value));
});

test("text that PostgreSQL refuses is named, in values and in keys, however deep", () => {
  for (const text of ["a\0", "\ud800", "\udc00a"])
    for (const value of [text, { [text]: 1 }, { a: [{ b: text }] }])
      assert.equal(unstorableReason(value), "Unicode text without NUL", JSON.stringify(value));
});

test("what is no JSON is named", () => {
  assert.equal(unstorableReason(Number.NaN), "a finite number");
  assert.equal(unstorableReason(Number.POSITIVE_INFINITY), "a finite number");
  for (const value of [undefined, 1n, () => 1]) assert.equal(unstorableReason([value]), "a JSON value");
});

test("levels, values and characters are bounded", () => {
  assert.equal(unstorableReason(nested(32)), undefined);
  assert.equal(unstorableReason(nested(33)), "at most 32 levels");
  assert.equal(unstorableReason(nested(100_000)), "at most 32 levels");
  assert.equal(unstorableReason(Array.from({ length: 99_999 }, () => 0)), undefined);
  assert.equal(unstorableReason(Array.from({ length: 100_000 }, () => 0)), "at most 100000 values");
  const half = "a".repeat(8 * 1024 * 1024);
  assert.equal(unstorableReason([half, half]), undefined);
  assert.match(unstorableReason([half, half, "a"]) ?? "", /characters$/);
});
