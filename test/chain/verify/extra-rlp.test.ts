import assert from "node:assert/strict";
import { test } from "node:test";
import { RLP } from "@ethereumjs/rlp";
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Extra } from "../../../src/block.js";
import { hasExtra, writeExtra } from "../../../src/chain/verify/extra-rlp.js";
import { createKeccak } from "../../../src/chain/verify/keccak.js";
import { RlpWriter } from "../../../src/chain/verify/rlp.js";
import { UnencodableError } from "../../../src/chain/verify/verification-error.js";
import { hash, quantity } from "../../../src/fields/kinds.js";
import type { ExtraField } from "../../../src/fields/transaction-types.js";

const source: ExtraField = { extra: "sourceHash", kind: hash };
const mint: ExtraField = { extra: "mint", kind: quantity(256), missing: "0x0" };
const nonce: ExtraField = { extra: "depositNonce", kind: quantity(256) };
const flag: ExtraField = { extra: "isSystemTx", kind: { is: "flag" } };

function hashOf(extra: Extra | null, field: ExtraField): string {
  const writer = new RlpWriter(createKeccak());
  writeExtra(writer, extra, field);
  return writer.hash(0);
}

const expectedHash = (value: string | number | bigint) =>
  `0x${Buffer.from(keccak_256(RLP.encode(value))).toString("hex")}`;

test("another chain's fields are hashed by their kind", () => {
  const word = `0x${"ab".repeat(32)}`;
  assert.equal(hashOf({ sourceHash: word }, source), expectedHash(word));
  assert.equal(hashOf({ mint: "0x10" }, mint), expectedHash(16n));
  assert.equal(hashOf({ isSystemTx: true }, flag), expectedHash(1));
  assert.equal(hashOf({ isSystemTx: false }, flag), expectedHash(0));
});

test("a field that may be missing is hashed as what it stands for; another one is named", () => {
  assert.equal(hashOf(null, mint), expectedHash(0n));
  assert.equal(hashOf(null, flag), expectedHash(0));
  assert.throws(
    () => hashOf({}, source),
    (error) => {
      return error instanceof UnencodableError && error.field === "sourceHash";
    },
  );
  assert.equal(hasExtra({}, nonce), false);
  assert.equal(hasExtra({ depositNonce: "0x0" }, nonce), true);
});

test("what is no hex of the right length is an error of the field, and not hashed as something else", () => {
  for (const depositNonce of ["0x", "0x01", "1", 1, `0x1${"0".repeat(64)}`, { a: 1 }])
    assert.throws(() => hashOf({ depositNonce }, nonce), UnencodableError, JSON.stringify(depositNonce));
  for (const sourceHash of ["0xab", `0x${"AB".repeat(32)}`])
    assert.throws(() => hasExtra({ sourceHash }, source), UnencodableError, sourceHash);
});
