// What anvil cannot mine: blocks of old forks, with uncles, and of nodes that leave fields out.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Block } from "../../src/block.js";
import { rulesFor } from "../../src/chain/verify/chain-rules.js";
import { createVerifier } from "../../src/chain/verify/verify-block.js";
import { madeBlock } from "./made-block.js";
import { resealed, sealed } from "./reseal.js";

const SHAPE = { transactions: 20, logsPerTransaction: 2, withdrawals: 0, salt: 1 };
const OPTIONS = { level: "roots", rules: rulesFor(1), endpoint: "node" } as const;
const verifier = createVerifier();

test("a block from before Byzantium, whose receipts have state roots, is proven", async () => {
  const block = await beforeByzantium();
  assert.ok(verifier.verifyBlock(block, OPTIONS).includes("receiptsRoot"));

  const [first] = block.transactions;
  assert.ok(first?.receipt.root);
  first.receipt.root = `0x${"02".repeat(32)}`;
  assert.throws(() => verifier.verifyBlock(block, OPTIONS), /receiptsRoot/);
  first.receipt.root = null;
  assert.throws(
    () => verifier.verifyBlock(block, OPTIONS),
    /receipts\[0\]\.status: expected a value, got null/,
  );
});

test("uncles are there exactly where the header says so", async () => {
  const block = await madeBlock(SHAPE);
  const uncles = [`0x${"01".repeat(32)}` as const];
  assert.throws(
    () => verifier.verifyBlock({ ...block, header: { ...block.header, uncles } }, OPTIONS),
    /uncles/,
  );

  const withUncle = await resealed({
    ...block,
    header: { ...block.header, sha3Uncles: `0x${"03".repeat(32)}`, uncles },
  });
  assert.ok(verifier.verifyBlock(withUncle, OPTIONS).includes("uncles"));
  const hidden = { ...withUncle, header: { ...withUncle.header, uncles: [] } };
  assert.throws(() => verifier.verifyBlock(hidden, OPTIONS), /uncles/);
});

test("no list of withdrawals means the same as an empty one", async () => {
  const block = await madeBlock(SHAPE);
  assert.ok(verifier.verifyBlock({ ...block, withdrawals: null }, OPTIONS).includes("withdrawalsRoot"));
});

test("v alone, without yParity, is enough for a typed transaction", async () => {
  const block = await madeBlock(SHAPE);
  for (const transaction of block.transactions) if (transaction.type === 2) transaction.yParity = null;
  assert.ok(verifier.verifyBlock(block, OPTIONS).includes("transactionHashes"));
});

test("a transaction of five megabytes is proven, and the next block after it", async () => {
  const block = await madeBlock({ ...SHAPE, transactions: 2 });
  const [first] = block.transactions;
  assert.ok(first);
  first.input = `0x${"ab".repeat(5_000_000)}`;
  const large = await sealed(block);
  assert.ok(verifier.verifyBlock(large, OPTIONS).includes("transactionsRoot"));
  assert.ok(verifier.verifyBlock(await madeBlock(SHAPE), OPTIONS).includes("transactionsRoot"));
});

test("a refused block leaves nothing behind that could spoil the next one", async () => {
  const good = await madeBlock(SHAPE);
  for (const field of ["transactionsRoot", "receiptsRoot", "hash"] as const) {
    const bad: Block = { ...good, header: { ...good.header, [field]: `0x${"00".repeat(32)}` } };
    assert.throws(() => verifier.verifyBlock(bad, OPTIONS));
    assert.ok(verifier.verifyBlock(good, OPTIONS).includes(field));
  }
});

async function beforeByzantium(): Promise<Block> {
  const block = await madeBlock(SHAPE);
  const transactions = block.transactions
    .filter(({ type }) => type === 0)
    .map((transaction, index) => {
      // Four of twenty are left, with their logs.
      const logs = transaction.receipt.logs.map((log, n) => ({
        ...log,
        logIndex: 2 * index + n,
        transactionIndex: index,
      }));
      const cumulativeGasUsed = `0x${((index + 1) * 100_000).toString(16)}` as const;
      const root = `0x${"01".repeat(32)}` as const;
      const receipt = { ...transaction.receipt, status: null, root, logs, cumulativeGasUsed };
      // Signed before EIP-155, by nodes that knew no access lists.
      return { ...transaction, transactionIndex: index, v: "0x1b" as const, chainId: null, receipt };
    });
  const header = {
    ...block.header,
    gasUsed: `0x${(transactions.length * 100_000).toString(16)}` as const,
    difficulty: "0x1bc16d674ec80000" as const,
    baseFeePerGas: null,
    withdrawalsRoot: null,
    blobGasUsed: null,
    excessBlobGas: null,
    parentBeaconBlockRoot: null,
  };
  return await sealed({ header, transactions, withdrawals: null });
}
