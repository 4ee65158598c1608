import assert from "node:assert/strict";
import { test } from "node:test";
import type { Transaction } from "../../../src/block.js";
import { createKeccak } from "../../../src/chain/verify/keccak.js";
import { RlpWriter } from "../../../src/chain/verify/rlp.js";
import {
  legacyChainId,
  signatureParity,
  writeSigned,
  writeTransaction,
} from "../../../src/chain/verify/transaction-rlp.js";
import { UnencodableError } from "../../../src/chain/verify/verification-error.js";
import { eip155, eip155SigningHash } from "./eip-155-transaction.js";
import { transactionOf } from "./made-proof.js";

function hashOf(write: (writer: RlpWriter, transaction: Transaction) => void, transaction: Transaction) {
  const writer = new RlpWriter(createKeccak());
  write(writer, transaction);
  return writer.hash(0);
}

const unencodable = (field: string) => (error: unknown) =>
  error instanceof UnencodableError && error.field === field;

test("what is signed since EIP-155 has the chain's id, and before it has not", () => {
  assert.equal(hashOf(writeSigned, eip155), eip155SigningHash);
  const before = hashOf(writeSigned, { ...eip155, v: "0x1b" });
  assert.notEqual(before, eip155SigningHash);
  assert.equal(before, hashOf(writeSigned, { ...eip155, v: "0x1c" }));
});

test("a legacy v tells the chain and the parity", () => {
  assert.deepEqual(
    (["0x1b", "0x1c", "0x25", "0x26", "0x135"] as const).map((v) => [
      legacyChainId(v),
      signatureParity({ ...eip155, v }),
    ]),
    [
      [null, 0],
      [null, 1],
      [1n, 0],
      [1n, 1],
      [137n, 0],
    ],
  );
});

test("the parity of a typed transaction is yParity or, of older nodes, v, in any form; anything else is named", () => {
  const typed = (fields: Partial<Transaction>) => signatureParity(transactionOf({ type: 2, ...fields }));
  assert.equal(typed({ yParity: 1, v: null }), 1);
  assert.equal(typed({ v: "0x1" }), 1);
  assert.equal(typed({ v: "0x1b" }), 0);
  assert.equal(typed({ v: "0x1c" }), 1);
  assert.equal(typed({ v: "0x26" }), 1);
  assert.equal(typed({ yParity: 0, v: "0x1c" }), 0);
  assert.throws(() => typed({ v: "0x2" }), unencodable("yParity"));
});

test("a field without which there is no encoding is named, a type that is not known too", () => {
  assert.throws(() => hashOf(writeTransaction, { ...eip155, s: null }), unencodable("s"));
  assert.throws(() => hashOf(writeTransaction, { ...eip155, gasPrice: null }), unencodable("gasPrice"));
  assert.throws(() => hashOf(writeTransaction, { ...eip155, type: 0x55 }), unencodable("type"));
});
