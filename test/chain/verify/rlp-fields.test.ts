import assert from "node:assert/strict";
import { test } from "node:test";
import { RLP } from "@ethereumjs/rlp";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { createKeccak } from "../../../src/chain/verify/keccak.js";
import { RlpWriter } from "../../../src/chain/verify/rlp.js";
import { listWriterOf } from "../../../src/chain/verify/rlp-fields.js";
import { UnencodableError } from "../../../src/chain/verify/verification-error.js";
import type { Fields } from "../../../src/fields/field.js";
import { address, integer, objects, quantity, words } from "../../../src/fields/kinds.js";

function hashOf(fields: Fields, object: object): string {
  const writer = new RlpWriter(createKeccak());
  listWriterOf(fields)(writer, object);
  return writer.hash(0);
}

const expectedHash = (items: unknown[]) => {
  const rlp = RLP.encode(items as Parameters<typeof RLP.encode>[0]);
  return `0x${Buffer.from(keccak_256(rlp)).toString("hex")}`;
};

const forked = {
  number: { kind: integer(100), rlp: 0 },
  baseFee: { kind: quantity(256), since: "London", rlp: 1 },
  blobGas: { kind: quantity(64), since: "Cancun", rlp: 2 },
} as const satisfies Fields;

test("fields of forks to come are left out of what is hashed", () => {
  assert.equal(hashOf(forked, { number: 1, baseFee: null, blobGas: null }), expectedHash([1]));
  assert.equal(hashOf(forked, { number: 1, baseFee: "0x7", blobGas: null }), expectedHash([1, 7]));
  assert.equal(hashOf(forked, { number: 1, baseFee: "0x7", blobGas: "0x0" }), expectedHash([1, 7, 0]));
});

test("a field that is missing below a later one is named", () => {
  assert.throws(
    () => hashOf(forked, { number: 1, baseFee: null, blobGas: "0x0" }),
    (error) => error instanceof UnencodableError && error.field === "baseFee",
  );
});

test("of two fields at one place the first that is there is hashed", () => {
  const fields = {
    status: { kind: integer(1), since: "Byzantium", rlp: 0 },
    root: { kind: address, optional: "since Byzantium", rlp: 0 },
  } as const satisfies Fields;
  const root = `0x${"12".repeat(20)}`;
  assert.equal(hashOf(fields, { status: 1, root: null }), expectedHash([1]));
  assert.equal(hashOf(fields, { status: null, root }), expectedHash([root]));
  assert.throws(() => hashOf(fields, { status: null, root: null }), UnencodableError);
});

test("no recipient is no bytes, and lists keep their order", () => {
  const entry = { address: { kind: address, rlp: 0 }, keys: { kind: words(9), rlp: 1 } } as const;
  const fields = {
    to: { kind: address, optional: "creates a contract", emptyIfNull: true, rlp: 0 },
    list: { kind: objects(entry, 9), rlp: 1 },
  } as const satisfies Fields;
  const [one, other] = [`0x${"01".repeat(20)}`, `0x${"02".repeat(20)}`];
  const keys = [`0x${"03".repeat(32)}`, `0x${"04".repeat(32)}`];
  assert.equal(
    hashOf(fields, {
      to: null,
      list: [
        { address: one, keys },
        { address: other, keys: [] },
      ],
    }),
    expectedHash([
      "0x",
      [
        [one, keys],
        [other, []],
      ],
    ]),
  );
});
