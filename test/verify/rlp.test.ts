import assert from "node:assert/strict";
import { test } from "node:test";
import { RLP } from "@ethereumjs/rlp";
import { keccak_256 } from "@noble/hashes/sha3.js";
import fc from "fast-check";
import type { Hex } from "../../src/block.js";
import { createKeccak } from "../../src/chain/verify/keccak.js";
import { RlpWriter } from "../../src/chain/verify/rlp.js";

type Item = { bytes: Uint8Array } | { quantity: bigint } | { number: number } | { list: Item[] };

const items = fc.letrec<{ item: Item; list: Item }>((tie) => ({
  item: fc.oneof(
    { depthSize: "small" },
    fc.uint8Array({ maxLength: 80, size: "max" }).map((bytes) => ({ bytes })),
    fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map((quantity) => ({ quantity })),
    fc.maxSafeNat().map((number) => ({ number })),
    fc.constantFrom<Item>(
      { number: 0 },
      { quantity: 0n },
      { quantity: 127n },
      { number: 128 },
      { bytes: new Uint8Array(1) },
    ),
    tie("list"),
  ),
  list: fc.array(tie("item"), { maxLength: 8 }).map((list) => ({ list })),
}));

test("anything that is written backwards is what @ethereumjs/rlp writes", () => {
  const writer = new RlpWriter(createKeccak());
  fc.assert(
    fc.property(items.item, (item) => {
      write(writer, item);
      const expected = RLP.encode(plain(item));
      assert.equal(writer.size, expected.length);
      assert.equal(writer.hash(0), hexOf(keccak_256(expected)));
      writer.truncate(0);
    }),
    { numRuns: 1_000 },
  );
});

test("strings at the borders of the prefix's forms are written right", () => {
  const writer = new RlpWriter(createKeccak());
  for (const length of [0, 1, 2, 23, 24, 25, 54, 55, 56, 57, 255, 256, 65_535, 65_536]) {
    for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
      const bytes = new Uint8Array(length).fill(byte);
      writer.bytes(hexOf(bytes));
      assert.equal(writer.hash(0), hexOf(keccak_256(RLP.encode(bytes))), `${length} times ${byte}`);
      writer.truncate(0);
    }
  }
});

test("what was written before the memory grows stays where it was, seen from its end", () => {
  const writer = new RlpWriter(createKeccak());
  const [small, large] = [new Uint8Array(100).fill(1), new Uint8Array(600_000).fill(2)];
  writer.bytes(hexOf(small));
  writer.bytes(hexOf(large));
  for (let i = 0; i < 3; i += 1) writer.bytes(hexOf(large));
  writer.closeList(0);
  assert.equal(writer.hash(0), hexOf(keccak_256(RLP.encode([large, large, large, large, small]))));
});

function write(writer: RlpWriter, item: Item): void {
  if ("bytes" in item) writer.bytes(hexOf(item.bytes));
  else if ("quantity" in item) writer.quantity(`0x${item.quantity.toString(16)}`);
  else if ("number" in item) writer.number(item.number);
  else {
    const mark = writer.size;
    for (const inner of [...item.list].reverse()) write(writer, inner);
    writer.closeList(mark);
  }
}

type Plain = Uint8Array | bigint | number | Plain[];

function plain(item: Item): Plain {
  if ("bytes" in item) return item.bytes;
  if ("quantity" in item) return item.quantity;
  return "number" in item ? item.number : item.list.map(plain);
}

function hexOf(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes).toString("hex")}`;
}
