import assert from "node:assert/strict";
import { test } from "node:test";
import { RowMemory } from "../../src/store/row-memory.js";

const kilobyte = 1_024;

test("a piece that was given back is lent again", () => {
  const memory = new RowMemory();
  const piece = memory.take(10);
  memory.give(piece);
  // Compared by themselves: to tell how two pieces differ takes minutes.
  assert(memory.take() === piece);
  assert(memory.take() !== piece);
});

test("a piece is at least as large as it must be, in steps of 256 KB", () => {
  const memory = new RowMemory();
  assert.equal(memory.take().length, 256 * kilobyte);
  assert.equal(memory.take(256 * kilobyte + 1).length, 512 * kilobyte);
  memory.give(memory.take());
  assert.equal(memory.take(300 * kilobyte).length, 512 * kilobyte);
});

test("at most 32 MB lie ready", () => {
  const memory = new RowMemory();
  const half = memory.take(16 * 1_024 * kilobyte);
  const other = memory.take(16 * 1_024 * kilobyte);
  const small = memory.take();
  for (const piece of [half, other, small]) memory.give(piece);
  assert(memory.take() === other);
  assert(memory.take() === half);
  assert(memory.take() !== small);
});
