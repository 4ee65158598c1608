import assert from "node:assert/strict";
import { test } from "node:test";
import { sinceSeconds } from "../../src/cli/since.js";

test("a time is a number and its unit", () => {
  assert.deepEqual(
    ["30s", "90m", "90min", "12h", "7d", "2w"].map(sinceSeconds),
    [30, 5_400, 5_400, 43_200, 604_800, 1_209_600],
  );
  for (const wrong of ["", "7", "d", "-1d", "0h", "1y", "1.5h", "99999d"])
    assert.throws(() => sinceSeconds(wrong), /Expected a time such as 90m/, wrong);
});
