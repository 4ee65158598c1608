import assert from "node:assert/strict";
import { test } from "node:test";
import type { Transaction } from "../../../src/block.js";
import { rulesFor } from "../../../src/chain/verify/chain-rules.js";
import { checkSignedChain, checkUnhashedFields } from "../../../src/chain/verify/unhashed-fields.js";
import { eip155 } from "./eip-155-transaction.js";
import { proofOf, transactionOf, wrongField } from "./made-proof.js";

const wrongIn = (transaction: Transaction) =>
  wrongField(() => checkUnhashedFields(proofOf({}), transaction, 0))?.replace("transactions[0].", "") ?? null;
const legacy = (fields: Partial<Transaction>) => wrongIn({ ...eip155, ...fields });
const typed = (fields: Partial<Transaction>) => wrongIn(transactionOf({ type: 2, ...fields }));

test("a legacy transaction's chain and parity are those of its v", () => {
  assert.equal(legacy({ chainId: "0x1", yParity: 0 }), null);
  assert.equal(legacy({ chainId: "0x89" }), "chainId");
  assert.equal(legacy({ yParity: 1 }), "yParity");
});

test("before EIP-155 a node may name the chain that it serves, or 0", () => {
  for (const chainId of ["0x1", "0x0", null] as const) assert.equal(legacy({ v: "0x1b", chainId }), null);
  assert.equal(legacy({ v: "0x1b", chainId: "0x89" }), "chainId");
});

test("a typed transaction's v is its parity", () => {
  assert.equal(typed({ yParity: 1, v: "0x1" }), null);
  assert.equal(typed({ yParity: 1, v: "0x0" }), "v");
});

test("another type's fields are missing, empty, 0 or the gas price, and nothing else", () => {
  const { gasPrice } = eip155;
  assert.equal(legacy({ accessList: [], maxFeePerGas: gasPrice, maxFeePerBlobGas: "0x0" }), null);
  assert.equal(legacy({ accessList: [{ address: "0x", storageKeys: [] }] }), "accessList");
  assert.equal(legacy({ maxFeePerGas: "0x1" }), "maxFeePerGas");
  assert.equal(legacy({ maxFeePerBlobGas: "0x1" }), "maxFeePerBlobGas");
  assert.equal(typed({ authorizationList: [], blobVersionedHashes: ["0x"] }), "blobVersionedHashes");
});

test("a receipt that names another sender is wrong: only the signature proves which of both it is", () => {
  const other = `0x${"33".repeat(20)}` as const;
  const check = (
    receipt: Partial<Transaction["receipt"]>,
    more: Partial<Parameters<typeof proofOf>[0]> = {},
  ) => wrongField(() => checkUnhashedFields(proofOf(more), transactionOf({ type: 2 }, receipt), 0));
  assert.equal(check({ from: transactionOf({}).from, type: 2 }), null);
  assert.equal(check({ to: other }), "receipts[0].to");
  assert.equal(check({ type: 0 }), "receipts[0].type");
  assert.equal(check({ from: other }, { checks: ["transactionHashes"] }), "receipts[0].from");
  const onDerived = () => {};
  assert.equal(check({ from: other }, { checks: ["transactionHashes"], onDerived }), "receipts[0].from");
  assert.equal(check({ from: other }, { onDerived }), null, "the sender is proven");
  assert.equal(check({ to: other, type: 0 }, { onDerived }), null, "the hash proves these");
});

test("a transaction that was signed for another chain is none of this one's, unless the chain began as a copy", () => {
  const wrongOn = (chainId: number, transaction: Transaction) =>
    wrongField(() => checkSignedChain(proofOf({ rules: rulesFor(chainId) }), transaction, 0));
  const typedOf = (chainId: `0x${string}` | null) => transactionOf({ type: 2, chainId });
  assert.equal(wrongOn(1, eip155), null);
  assert.equal(wrongOn(5, eip155), "transactions[0].v");
  assert.equal(wrongOn(5, { ...eip155, v: "0x1b" }), null);
  assert.equal(wrongOn(5, typedOf("0x5")), null);
  assert.equal(wrongOn(5, typedOf(null)), null);
  assert.equal(wrongOn(1, typedOf("0x5")), "transactions[0].chainId");
  // PulseChain's first blocks are Ethereum's.
  assert.equal(wrongOn(369, eip155), null);
  assert.equal(wrongOn(369, typedOf("0x1")), null);
});
