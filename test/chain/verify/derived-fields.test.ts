import assert from "node:assert/strict";
import { test } from "node:test";
import type { Header, Receipt, Transaction } from "../../../src/block.js";
import {
  checkBlobGas,
  checkContractAddresses,
  checkPrices,
} from "../../../src/chain/verify/derived-fields.js";
import type { Proof } from "../../../src/chain/verify/proof.js";
import { proofOf, transactionOf, wrongField } from "./made-proof.js";

const wrongIn = (
  check: (proof: Proof) => void,
  fields: Partial<Transaction>,
  receipt: Partial<Receipt>,
  header: Partial<Header> = {},
) => wrongField(() => check(proofOf({ header, transactions: [transactionOf(fields, receipt)] })));

test("each blob is 131072 gas, in the receipt and in the header", () => {
  const blobs = {
    type: 3,
    blobVersionedHashes: [`0x01${"00".repeat(31)}`, `0x01${"11".repeat(31)}`],
  } as const;
  const fields = { ...blobs, blobVersionedHashes: [...blobs.blobVersionedHashes] };
  const used = { blobGasUsed: "0x40000" } as const;
  assert.equal(wrongIn(checkBlobGas, fields, used, used), null);
  assert.equal(wrongIn(checkBlobGas, fields, { blobGasUsed: "0x20000" }, used), "receipts[0].blobGasUsed");
  assert.equal(wrongIn(checkBlobGas, fields, {}, used), "receipts[0].blobGasUsed");
  assert.equal(wrongIn(checkBlobGas, fields, used, { blobGasUsed: "0x0" }), "blobGasUsed");
  assert.equal(wrongIn(checkBlobGas, {}, {}, { blobGasUsed: null }), null);
});

test("what is paid is the base fee and the tip, and never more than the cap", () => {
  const fees = { type: 2, maxFeePerGas: "0x64", maxPriorityFeePerGas: "0x5" } as const;
  const price = (effectiveGasPrice: `0x${string}`, baseFeePerGas: `0x${string}`) =>
    wrongIn(checkPrices, fees, { effectiveGasPrice }, { baseFeePerGas });
  assert.equal(price("0x37", "0x32"), null);
  assert.equal(price("0x64", "0x62"), null);
  assert.equal(price("0x64", "0x32"), "receipts[0].effectiveGasPrice");
  assert.equal(price("0x67", "0x62"), "receipts[0].effectiveGasPrice");
});

test("gasPrice is what was paid or, of older nodes, the cap", () => {
  const fees = { type: 2, maxFeePerGas: "0x64", maxPriorityFeePerGas: "0x5" } as const;
  const price = (gasPrice: `0x${string}`) =>
    wrongIn(checkPrices, { ...fees, gasPrice }, {}, { baseFeePerGas: "0x32" });
  assert.equal(price("0x37"), null);
  assert.equal(price("0x64"), null);
  assert.equal(price("0x38"), "transactions[0].gasPrice");
});

test("a creation's address follows from its sender and nonce, and nothing else has one", () => {
  const from = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0";
  const contractAddress = "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d";
  const wrongAt = (fields: Partial<Transaction>, receipt: Partial<Receipt>) =>
    wrongIn(checkContractAddresses, { from, ...fields }, receipt);
  assert.equal(wrongAt({}, { contractAddress }), null);
  assert.equal(wrongAt({ nonce: "0x1" }, { contractAddress }), "receipts[0].contractAddress");
  assert.equal(wrongAt({ to: from }, { contractAddress }), "receipts[0].contractAddress");
  assert.equal(wrongAt({}, {}), "receipts[0].contractAddress");
  assert.equal(wrongAt({}, { status: 0 }), null, "a creation that failed need not name one");
});

test("a contract address that its own sender does not make is wrong, unless the sender is proven", () => {
  const made = (checks: Proof["checks"]) => {
    const contractAddress = `0x${"22".repeat(20)}` as const;
    const transactions = [transactionOf({ to: null, nonce: "0x1" }, { contractAddress })];
    return proofOf({ transactions, checks, onDerived: () => {} });
  };
  const unproven = made(["contractAddresses"]);
  assert.equal(
    wrongField(() => checkContractAddresses(unproven)),
    "receipts[0].contractAddress",
  );
  assert.equal(
    wrongField(() => checkContractAddresses(made(["contractAddresses", "senders"]))),
    null,
  );
});

test("what a creation that failed would have created is told, and a call has created nothing", () => {
  const from = "0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0";
  const transactions = [
    transactionOf({ from, to: null }, { status: 0 }),
    transactionOf({ from, to: from }, { contractAddress: from }),
  ];
  checkContractAddresses(proofOf({ transactions, onDerived: () => {} }));
  assert.deepEqual(
    transactions.map(({ receipt }) => receipt.contractAddress),
    ["0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d", null],
  );
});

test("what blob gas cost follows from the excess, where the chain's schedule is known", () => {
  const blobVersionedHashes = [`0x01${"00".repeat(31)}`] as const;
  const priceAt = (timestamp: number, blobGasPrice: `0x${string}` | null) => {
    const transaction = transactionOf(
      { type: 3, blobVersionedHashes: [...blobVersionedHashes] },
      { blobGasUsed: "0x20000", blobGasPrice },
    );
    const header = { timestamp, blobGasUsed: "0x20000", excessBlobGas: "0xa00000" } as const;
    checkBlobGas(proofOf({ header, transactions: [transaction], onDerived: () => {} }));
    return transaction.receipt.blobGasPrice;
  };
  const inPrague = 1_750_000_000;
  assert.equal(priceAt(inPrague, null), "0x8");
  assert.equal(priceAt(inPrague, "0x9"), "0x8");
  assert.equal(priceAt(1_900_000_000, "0x9"), "0x9");
  assert.equal(priceAt(1_900_000_000, null), null);
});
