import assert from "node:assert/strict";
import { test } from "node:test";
import { blockCondition } from "../../src/store/block-condition.js";

test("neighbours become a range, others a list, and no block no row", () => {
  assert.equal(blockCondition("number", [7]), "number between 7 and 7");
  assert.equal(blockCondition("number", [7, 8, 9]), "number between 7 and 9");
  assert.equal(blockCondition("block_number", [7, 9]), "block_number = any ('{7,9}'::bigint[])");
  assert.equal(blockCondition("number", []), "false");
});

test("what is no whole number never becomes SQL", () => {
  for (const numbers of [[1.5], [Number.NaN], ["0) or (true" as unknown as number]])
    assert.throws(() => blockCondition("number", numbers));
});
