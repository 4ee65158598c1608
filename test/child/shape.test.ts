import assert from "node:assert/strict";
import { test } from "node:test";
import { flag, listOf, number, readRecord, text } from "../../src/child/shape.js";

test("a value is read where it is of its kind", () => {
  for (const [read, fits, misfits] of [
    [number, 1.5, "1"],
    [text, "", 1],
    [flag, false, 0],
  ] as const) {
    assert.equal(read(fits), fits);
    assert.equal(read(misfits), undefined);
    assert.equal(read(null), undefined);
  }
});

test("of a list the items of another kind are left out; what is no list is none", () => {
  assert.deepEqual(listOf(number)([1, "2", 0, null, 3]), [1, 0, 3]);
  assert.deepEqual(listOf(number)([]), []);
  assert.equal(listOf(number)({ length: 1 }), undefined);
});

test("of a record the fields that are known and fit are read, and nothing else", () => {
  const shape = { name: text, count: number, isOn: flag };
  assert.deepEqual(readRecord(shape, { name: "a", count: "7", isOn: false, more: 1 }), {
    name: "a",
    isOn: false,
  });
  for (const said of [null, undefined, "text", 7]) assert.deepEqual(readRecord(shape, said), {});
});
