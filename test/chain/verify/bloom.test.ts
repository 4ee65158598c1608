import assert from "node:assert/strict";
import { test } from "node:test";
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Hex } from "../../../src/block.js";
import { BLOOM_BYTES, BloomMaker } from "../../../src/chain/verify/bloom.js";
import { createKeccak } from "../../../src/chain/verify/keccak.js";
import { RlpWriter } from "../../../src/chain/verify/rlp.js";
import { logOf } from "./made-proof.js";

const created = () => new BloomMaker(new RlpWriter(createKeccak()));

function bloomOf(maker: BloomMaker, ...topics: Hex[]): string {
  const filter = Buffer.alloc(BLOOM_BYTES);
  maker.add([logOf({ topics })], filter, Buffer.alloc(BLOOM_BYTES));
  return filter.toString("hex");
}

/** Yellow paper, section 4.3.1, with another Keccak. */
function expectedBloom(...entries: Hex[]): string {
  let filter = 0n;
  for (const entry of entries) {
    const hash = Buffer.from(keccak_256(Buffer.from(entry.slice(2), "hex")));
    for (const at of [0, 2, 4]) filter |= 1n << BigInt(hash.readUInt16BE(at) & 2047);
  }
  return filter.toString(16).padStart(2 * BLOOM_BYTES, "0");
}

const { address } = logOf({});
// Their last digits, which decide where the cache keeps their bits, are the same.
const one: Hex = `0x01${"00".repeat(31)}`;
const other: Hex = `0x02${"00".repeat(31)}`;

test("a log sets three bits of its address and of each topic", () => {
  assert.equal(bloomOf(created(), one, other), expectedBloom(address, one, other));
  assert.equal(bloomOf(created()), expectedBloom(address));
});

test("entries that take each other's place in the cache keep their own bits", () => {
  const maker = created();
  for (const topic of [one, other, one]) assert.equal(bloomOf(maker, topic), expectedBloom(address, topic));
});

test("the block's filter has the bits of all of its receipts", () => {
  const maker = created();
  const block = Buffer.alloc(BLOOM_BYTES);
  for (const topics of [[one], [other]])
    maker.add([logOf({ topics: topics as Hex[] })], Buffer.alloc(BLOOM_BYTES), block);
  assert.equal(block.toString("hex"), expectedBloom(address, one, other));
});
