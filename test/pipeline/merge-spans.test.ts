import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeSpans } from "../../src/pipeline/merge-spans.js";

const spans = (...ends: [from: number, to: number][]) => ends.map(([from, to]) => ({ from, to }));

test("spans that touch, overlap or lie within each other become one, in order", () => {
  assert.deepEqual(mergeSpans(spans([20, 25], [1, 5], [6, 9], [8, 12], [10, 11])), spans([1, 12], [20, 25]));
});

test("a number between two spans keeps them apart", () => {
  assert.deepEqual(mergeSpans(spans([1, 4], [6, 9])), spans([1, 4], [6, 9]));
});

test("what is given is not changed", () => {
  const given = spans([1, 4], [5, 9]);
  mergeSpans(given);
  assert.deepEqual(given, spans([1, 4], [5, 9]));
  assert.deepEqual(mergeSpans([]), []);
});
