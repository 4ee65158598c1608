import assert from "node:assert/strict";
import { test } from "node:test";
import { groupBy } from "../../src/store/group-by.js";

test("rows come together by what stands in a column, in their order", () => {
  const rows = [
    { block: 2, index: 0 },
    { block: 1, index: 0 },
    { block: 2, index: 1 },
  ];
  assert.deepEqual(
    [...groupBy(rows, "block")],
    [
      [2, [rows[0], rows[2]]],
      [1, [rows[1]]],
    ],
  );
  assert.equal(groupBy([], "block").size, 0);
});
