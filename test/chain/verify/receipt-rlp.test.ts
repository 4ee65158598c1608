import assert from "node:assert/strict";
import { test } from "node:test";
import { RLP } from "@ethereumjs/rlp";
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Transaction } from "../../../src/block.js";
import { EMPTY_BLOOM } from "../../../src/chain/verify/bloom.js";
import { createKeccak } from "../../../src/chain/verify/keccak.js";
import { writeReceipt } from "../../../src/chain/verify/receipt-rlp.js";
import { RlpWriter } from "../../../src/chain/verify/rlp.js";
import { UnencodableError } from "../../../src/chain/verify/verification-error.js";
import { logOf, transactionOf } from "./made-proof.js";

function hashOf(transaction: Transaction): string {
  const writer = new RlpWriter(createKeccak());
  writeReceipt(writer, transaction);
  return writer.hash(0);
}

const expectedHash = (fields: unknown[], ...envelope: number[]) => {
  const rlp = RLP.encode(fields as Parameters<typeof RLP.encode>[0]);
  return `0x${Buffer.from(keccak_256(Uint8Array.from([...envelope, ...rlp]))).toString("hex")}`;
};

test("a receipt is its status, cumulative gas, bloom and logs, behind its type", () => {
  const topic = `0x${"cd".repeat(32)}` as const;
  const log = logOf({ topics: [topic], data: "0x1234" });
  const fields = [1, 0x5208, EMPTY_BLOOM, [[log.address, [topic], "0x1234"]]];
  assert.equal(hashOf(transactionOf({}, { logs: [log] })), expectedHash(fields));
  assert.equal(hashOf(transactionOf({ type: 2 }, { logs: [log] })), expectedHash(fields, 2));
});

test("before Byzantium the state root stands where the status is; one of them must be there", () => {
  const root = `0x${"ef".repeat(32)}` as const;
  assert.equal(
    hashOf(transactionOf({}, { status: null, root })),
    expectedHash([root, 0x5208, EMPTY_BLOOM, []]),
  );
  assert.throws(
    () => hashOf(transactionOf({}, { status: null })),
    (error) => error instanceof UnencodableError && error.field === "status",
  );
});

test("a deposit's nonce is hashed only with its version, which came later", () => {
  const deposit = (extra: Record<string, string> | null) => hashOf(transactionOf({ type: 0x7e }, { extra }));
  const fields = [1, 0x5208, EMPTY_BLOOM, []];
  assert.equal(deposit({ depositNonce: "0x5" }), expectedHash(fields, 0x7e));
  assert.equal(
    deposit({ depositNonce: "0x5", depositReceiptVersion: "0x1" }),
    expectedHash([...fields, 5, 1], 0x7e),
  );
});
