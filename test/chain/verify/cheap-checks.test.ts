import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BLOOM } from "../../../src/chain/verify/bloom.js";
import { checkBlooms, checkGas, checkIndexes } from "../../../src/chain/verify/cheap-checks.js";
import { logOf, proofOf, transactionOf, wrongField } from "./made-proof.js";

const first = transactionOf({}, { logs: [logOf({}), logOf({ logIndex: 1 })] });
const second = transactionOf(
  { transactionIndex: 1, hash: `0x${"bb".repeat(32)}` },
  { gasUsed: "0x10", cumulativeGasUsed: "0x5218" },
);
const gasUsed = "0x5218";

test("transactions are numbered from 0 without a gap", () => {
  assert.equal(
    wrongField(() => checkIndexes(proofOf({ transactions: [first, second] }))),
    null,
  );
  assert.equal(
    wrongField(() => checkIndexes(proofOf({ transactions: [second] }))),
    "transactions[0].transactionIndex",
  );
});

test("logs are numbered through the whole block, and name the transaction that they are in", () => {
  const withLog = (log: Parameters<typeof logOf>[0]) => {
    const own = { logIndex: 2, transactionIndex: 1, transactionHash: second.hash };
    const receipt = { ...second.receipt, logs: [logOf({ ...own, ...log })] };
    return wrongField(() => checkIndexes(proofOf({ transactions: [first, { ...second, receipt }] })));
  };
  assert.equal(withLog({}), null);
  assert.equal(withLog({ logIndex: 0 }), "receipts[1].logs[0].logIndex");
  assert.equal(withLog({ transactionIndex: 0 }), "receipts[1].logs[0].transactionIndex");
  assert.equal(withLog({ transactionHash: first.hash }), "receipts[1].logs[0].transactionHash");
});

test("cumulative gas is the running sum, and ends at the header's", () => {
  const wrongIn = (header: { gasUsed: `0x${string}` }, transactions = [first, second]) =>
    wrongField(() => checkGas(proofOf({ header, transactions })));
  assert.equal(wrongIn({ gasUsed }), null);
  assert.equal(wrongIn({ gasUsed: "0x5219" }), "gasUsed");
  assert.equal(wrongIn({ gasUsed }, [second, first]), "receipts[0].cumulativeGasUsed");
});

test("a receipt with logs whose bloom is empty is found, and a header that leaves their bloom out", () => {
  assert.equal(
    wrongField(() => checkBlooms(proofOf({ header: { logsBloom: EMPTY_BLOOM }, transactions: [first] }))),
    "receipts[0].logsBloom",
  );
  const filter = Buffer.alloc(256);
  proofOf({}).blooms.add(first.receipt.logs, filter, Buffer.alloc(256));
  const logsBloom = `0x${filter.toString("hex")}` as const;
  const transactions = [{ ...first, receipt: { ...first.receipt, logsBloom } }, second];
  assert.equal(
    wrongField(() => checkBlooms(proofOf({ header: { logsBloom: EMPTY_BLOOM }, transactions }))),
    "logsBloom",
  );
  assert.equal(
    wrongField(() => checkBlooms(proofOf({ header: { logsBloom }, transactions }))),
    null,
  );
});

const cheap = ["indexes", "gas", "logsBloom"] as const;
const onDerived = () => {};

test("log indexes with gaps are wrong, unless the receipts' root proves that none is missing", () => {
  const gap = () => [transactionOf({}, { logs: [logOf({ logIndex: 3 }), logOf({ logIndex: 5 })] })];
  const wrongAt = (checks?: typeof cheap) =>
    wrongField(() =>
      checkIndexes(proofOf({ transactions: gap(), onDerived, ...(checks !== undefined && { checks }) })),
    );
  assert.equal(wrongAt(cheap), "receipts[0].logs[0].logIndex");
  assert.equal(wrongAt(), null);
});

test("gas used that contradicts its sum is wrong, unless the receipts' root proves the sum", () => {
  const transactions = () => [transactionOf({}, { gasUsed: "0x1", cumulativeGasUsed: "0x5208" })];
  const header = { gasUsed: "0x5208" } as const;
  const made = () => ({ header, transactions: transactions(), onDerived });
  assert.equal(
    wrongField(() => checkGas(proofOf({ ...made(), checks: cheap }))),
    "receipts[0].cumulativeGasUsed",
  );
  const proof = proofOf(made());
  checkGas(proof);
  assert.equal(proof.block.transactions[0]?.receipt.gasUsed, "0x5208");
});

test("a receipt's bloom that its logs contradict is wrong, unless the receipts' root proves the logs", () => {
  const logsBloom = `0x${"01".repeat(256)}` as const;
  const made = () => ({
    header: { logsBloom: EMPTY_BLOOM },
    transactions: [transactionOf({}, { logsBloom })],
    onDerived,
  });
  assert.equal(
    wrongField(() => checkBlooms(proofOf({ ...made(), checks: cheap }))),
    "receipts[0].logsBloom",
  );
  assert.equal(
    wrongField(() => checkBlooms(proofOf(made()))),
    null,
  );
});
