import assert from "node:assert/strict";
import { test } from "node:test";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { createKeccak } from "../../../src/chain/verify/keccak.js";
import { RlpWriter } from "../../../src/chain/verify/rlp.js";
import { isStateSync, stateSyncHash } from "../../../src/chain/verify/state-sync.js";
import { transactionOf } from "./made-proof.js";

const zero = `0x${"00".repeat(20)}` as const;
const fields = { from: zero, to: zero, gas: "0x0" } as const;

test("a state-sync is unsigned, without gas, from nobody to nobody", () => {
  assert.equal(isStateSync(transactionOf(fields)), true);
  assert.equal(isStateSync(transactionOf({ ...fields, r: "0x0", s: "0x0" })), true);
  for (const other of [{ r: "0x1" }, { gas: "0x1" }, { type: 2 }, { to: null }, { from: "0x11" }] as const)
    assert.equal(isStateSync(transactionOf({ ...fields, ...other })), false, JSON.stringify(other));
});

test("its hash is made of bor's prefix, the block's number in 8 bytes, and the block's hash", () => {
  const block = { number: 0x123456, hash: `0x${"5a".repeat(32)}` as const };
  const bytes = Buffer.concat([
    Buffer.from("matic-bor-receipt-"),
    Buffer.from("0000000000123456", "hex"),
    Buffer.from("5a".repeat(32), "hex"),
  ]);
  assert.equal(
    stateSyncHash(new RlpWriter(createKeccak()), block),
    `0x${Buffer.from(keccak_256(bytes)).toString("hex")}`,
  );
});
