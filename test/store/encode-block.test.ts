import assert from "node:assert/strict";
import { test } from "node:test";
import { createEncoder, type EncodedBlock } from "../../src/store/encode-block.js";
import { rowsOf } from "../support/stored-block.js";

const rowsFrom = (number: number, transactions = 3) =>
  rowsOf({ number, transactions: Array(transactions).fill(2), logsPerTransaction: 2 });

/** A block's bytes as they are now. */
function bytesOf({ rows }: EncodedBlock): string {
  return Object.values(rows)
    .map((part) => part.toString("hex"))
    .join(" ");
}

test("a block's rows stay as they are while others are encoded, and their memory while nobody gave it back", () => {
  const { encode, reuse } = createEncoder();
  const first = encode(rowsFrom(1));
  const second = encode(rowsFrom(2));
  const [firstBytes, secondBytes] = [bytesOf(first), bytesOf(second)];
  for (let number = 3; number < 10; number += 1) reuse([encode(rowsFrom(number))]);
  assert.equal(bytesOf(first), firstBytes);
  assert.equal(bytesOf(second), secondBytes);
});

test("memory that was given back is used again, for one block at a time, however often it is given", () => {
  const { encode, reuse } = createEncoder();
  const first = encode(rowsFrom(1));
  const memory = first.rows.blocks.buffer;
  reuse([first]);
  reuse([first, first]);
  const second = encode(rowsFrom(2));
  assert.equal(second.rows.blocks.buffer, memory);
  const third = encode(rowsFrom(3));
  assert.notEqual(third.rows.blocks.buffer, memory);
  assert.equal(bytesOf(second), bytesOf(createEncoder().encode(rowsFrom(2))));
});

test("a block that outgrows the memory is whole, and what it left behind is not handed out", () => {
  const { encode, reuse } = createEncoder();
  const small = encode(rowsFrom(1));
  reuse([small]);
  const large = encode(rowsFrom(2, 1_500));
  assert(bytesOf(large).length > 2 * 2 * 256 * 1024);
  assert.notEqual(large.rows.blocks.buffer, small.rows.blocks.buffer);
  const another = encode(rowsFrom(3));
  assert.equal(bytesOf(large), bytesOf(createEncoder().encode(rowsFrom(2, 1_500))));
  assert.equal(bytesOf(another), bytesOf(createEncoder().encode(rowsFrom(3))));
});
