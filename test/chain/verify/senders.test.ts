import assert from "node:assert/strict";
import { test } from "node:test";
import type { Transaction } from "../../../src/block.js";
import { checkSenders } from "../../../src/chain/verify/senders.js";
import { eip155 } from "./eip-155-transaction.js";
import { proofOf, transactionOf, wrongField } from "./made-proof.js";

const wrongIn = (change: Partial<Transaction>) =>
  wrongField(() => checkSenders(proofOf({ transactions: [{ ...eip155, ...change }] })));

test("the sender is who signed", () => {
  assert.equal(wrongIn({}), null);
  assert.equal(wrongIn({ from: `0x${"11".repeat(20)}` }), "transactions[0].from");
});

test("of a transaction that was changed, or whose v is another's, somebody else is the signer", () => {
  assert.equal(wrongIn({ value: "0x1" }), "transactions[0].from");
  assert.equal(wrongIn({ v: "0x26" }), "transactions[0].from");
  assert.equal(wrongIn({ v: "0x27" }), "transactions[0].from", "the chain's id is signed");
});

test("what is no signature is an error of the block", () => {
  assert.equal(wrongIn({ r: "0x0" }), "transactions[0].r");
  assert.equal(wrongIn({ s: null }), "transactions[0].r");
});

test("nobody signs a deposit", () => {
  const deposit = transactionOf({ type: 0x7e });
  assert.equal(
    wrongField(() => checkSenders(proofOf({ transactions: [deposit] }))),
    null,
  );
});
