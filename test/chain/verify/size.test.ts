import assert from "node:assert/strict";
import { test } from "node:test";
import { deriveSize, itemBytes } from "../../../src/chain/verify/size.js";
import { CHECKS } from "../../../src/fields/direct-layout.js";
import { type MadeProof, proofOf } from "./made-proof.js";

/** The size that a block has then; it said 1. */
function sizeOf(made: MadeProof, bytes: { header: number; transactions: number; withdrawals: number }) {
  const header = { uncles: [], withdrawalsRoot: null, ...made.header, size: 1 };
  const proof = { ...proofOf({ onDerived: () => {}, ...made, header }), bytes };
  deriveSize(proof);
  return proof.block.header.size;
}

test("a block is a list of its header, transactions, uncles and, since Shanghai, withdrawals", () => {
  const bytes = { header: 508, transactions: 0, withdrawals: 0 };
  assert.equal(sizeOf({}, bytes), 508 + 1 + 1 + 3);
  assert.equal(sizeOf({}, { ...bytes, transactions: 55 }), 508 + 56 + 1 + 3);
  assert.equal(sizeOf({}, { ...bytes, transactions: 56 }), 508 + 58 + 1 + 3);
  assert.equal(sizeOf({}, { ...bytes, transactions: 255 }), 508 + 257 + 1 + 3);
  assert.equal(sizeOf({}, { ...bytes, transactions: 256 }), 508 + 259 + 1 + 3);
  const withdrawalsRoot = `0x${"11".repeat(32)}` as const;
  assert.equal(sizeOf({ header: { withdrawalsRoot } }, bytes), 508 + 1 + 1 + 1 + 3);
});

test("a typed transaction is a string in its block, a legacy one itself", () => {
  assert.equal(itemBytes(110, 0), 110);
  assert.equal(itemBytes(110, 2), 112);
});

test("what is not all proven says what its node says", () => {
  const bytes = { header: 508, transactions: 0, withdrawals: 0 };
  const uncles = [`0x${"11".repeat(32)}` as const];
  assert.equal(sizeOf({ header: { uncles } }, bytes), 1);
  assert.equal(sizeOf({ checks: CHECKS.filter((check) => check !== "transactionsRoot") }, bytes), 1);
  assert.equal(sizeOf({ onDerived: null }, bytes), 1);
});
