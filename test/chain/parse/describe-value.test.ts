import assert from "node:assert/strict";
import { test } from "node:test";
import { describeValue } from "../../../src/chain/parse/describe-value.js";

test("a value is told in a few words, whatever it is", () => {
  assert.deepEqual([undefined, null, 7, true, [1, 2], { a: 1 }, "0x1", "a\n\u0000b"].map(describeValue), [
    "nothing",
    "null",
    "7",
    "true",
    "a list of 2",
    "an object",
    '"0x1"',
    '"a\\n\\u0000b"',
  ]);
});

test("what is long is cut to 80 characters, also where quoting makes it longer", () => {
  assert.equal(describeValue("a".repeat(1_000)), `"${"a".repeat(77)}…"`);
  for (const text of ["\u0000".repeat(79), "\ud800".repeat(60), "a".repeat(79)])
    assert(describeValue(text).length <= 80, describeValue(text));
});
