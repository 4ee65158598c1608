import assert from "node:assert/strict";
import { test } from "node:test";
import { CHECKS, checkBit, RESULT_OFFSETS, WRITTEN_TABLES } from "../../src/fields/direct-layout.js";

test("each check has a bit of its own", () => {
  assert.equal(new Set(CHECKS.map(checkBit)).size, CHECKS.length);
  for (const check of CHECKS) assert(checkBit(check) > 0, check);
});

test("no value of the result lies in another one, and a number of 64 bits has its eight bytes", () => {
  const offsets = Object.entries(RESULT_OFFSETS).sort(([, a], [, b]) => a - b);
  assert.equal(offsets.length, 6 + 2 * WRITTEN_TABLES.length);
  for (const [i, [name, offset]] of offsets.entries()) {
    const next = offsets[i + 1]?.[1] ?? offset + 4;
    assert.equal(next - offset, ["number", "timestamp", "excessBlobGas"].includes(name) ? 8 : 4, name);
  }
});
