import assert from "node:assert/strict";
import { test } from "node:test";
import type { Block, Header } from "../../../src/block.js";
import { rulesFor } from "../../../src/chain/verify/chain-rules.js";
import type { Proof } from "../../../src/chain/verify/proof.js";
import {
  checkHash,
  checkReceiptsRoot,
  checkTransactionHashes,
  checkTransactionsRoot,
  checkUncles,
  checkWithdrawalsRoot,
} from "../../../src/chain/verify/root-checks.js";
import { madeBlock } from "../../verify/made-block.js";
import { proofOf, transactionOf, wrongField } from "./made-proof.js";

const block = await madeBlock({ transactions: 3, logsPerTransaction: 1, withdrawals: 2, salt: 0 });
const [first, second, third] = block.transactions as [
  Block["transactions"][number],
  Block["transactions"][number],
  Block["transactions"][number],
];
const checks = [
  checkHash,
  checkUncles,
  checkTransactionHashes,
  checkTransactionsRoot,
  checkReceiptsRoot,
  checkWithdrawalsRoot,
];

const wrongIn = (check: (proof: Proof) => void, change: Partial<Block>, header: Partial<Header> = {}) =>
  wrongField(() => check(proofOf({ ...block, ...change, header: { ...block.header, ...header } })));

test("a block that is whole passes every check of a root", () => {
  for (const check of checks) assert.equal(wrongIn(check, {}), null, check.name);
});

test("a header of which anything was changed has another hash", () => {
  assert.equal(wrongIn(checkHash, {}, { timestamp: block.header.timestamp + 1 }), "hash");
  assert.equal(wrongIn(checkHash, {}, { blobGasUsed: null }), "blobGasUsed");
});

test("uncles are there exactly where the header says so", () => {
  const uncle = block.header.hash;
  assert.equal(wrongIn(checkUncles, {}, { uncles: [uncle] }), "uncles");
  assert.equal(wrongIn(checkUncles, {}, { sha3Uncles: uncle }), "uncles");
  assert.equal(wrongIn(checkUncles, {}, { sha3Uncles: uncle, uncles: [uncle] }), null);
});

test("transactions in another order, or one fewer, have another root", () => {
  assert.equal(wrongIn(checkTransactionsRoot, { transactions: [second, first, third] }), "transactionsRoot");
  assert.equal(wrongIn(checkTransactionsRoot, { transactions: [first, second] }), "transactionsRoot");
});

test("a transaction's hash is compared also where no root is asked for", () => {
  const transactions = [first, { ...second, value: "0x1" as const }, third];
  const withoutRoot = () =>
    checkTransactionHashes(proofOf({ ...block, transactions, checks: ["transactionHashes"] }));
  assert.equal(wrongField(withoutRoot), "transactions[1].hash");
  assert.equal(wrongIn(checkTransactionsRoot, { transactions }), "transactions[1].hash");
});

test("a receipt that was changed has another root, and none has a status and a root", () => {
  const changed = (receipt: Partial<typeof first.receipt>) => ({
    transactions: [{ ...first, receipt: { ...first.receipt, ...receipt } }, second, third],
  });
  assert.equal(wrongIn(checkReceiptsRoot, changed({ status: 0 })), "receiptsRoot");
  assert.equal(wrongIn(checkReceiptsRoot, changed({ root: block.header.hash })), "receipts[0].root");
});

test("withdrawals are the header's; no list is an empty one, and none is there before Shanghai", () => {
  const emptyRoot = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";
  assert.equal(wrongIn(checkWithdrawalsRoot, { withdrawals: [] }), "withdrawalsRoot");
  assert.equal(wrongIn(checkWithdrawalsRoot, { withdrawals: null }, { withdrawalsRoot: emptyRoot }), null);
  assert.equal(wrongIn(checkWithdrawalsRoot, {}, { withdrawalsRoot: null }), "withdrawals");
});

test("a state-sync, which no root covers, has the hash that its block gives it", () => {
  const zero = `0x${"00".repeat(20)}` as const;
  const stateSync = transactionOf({ from: zero, to: zero, gas: "0x0" });
  const check = () =>
    checkTransactionHashes(
      proofOf({ header: block.header, transactions: [stateSync], rules: rulesFor(137) }),
    );
  assert.equal(wrongField(check), "transactions[0].hash");
});
