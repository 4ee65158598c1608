import assert from "node:assert/strict";
import { test } from "node:test";
import { rulesFor } from "../../../src/chain/verify/chain-rules.js";
import { encode } from "../../../src/chain/verify/proof.js";
import { UnencodableError, VerificationError } from "../../../src/chain/verify/verification-error.js";
import { proofOf, transactionOf } from "./made-proof.js";

const zero = `0x${"00".repeat(20)}` as const;
const plain = transactionOf({});
const stateSync = transactionOf({ transactionIndex: 1, from: zero, to: zero, gas: "0x0" });

test("the roots cover all transactions but Polygon's state-sync at the end", () => {
  const transactions = [plain, stateSync];
  assert.deepEqual(proofOf({ transactions }).covered, transactions);
  assert.deepEqual(proofOf({ transactions, rules: rulesFor(137) }).covered, [plain]);
  assert.deepEqual(proofOf({ transactions: [plain, plain], rules: rulesFor(137) }).covered, [plain, plain]);
});

test("a block with a transaction whose encoding is not known is not encodable", () => {
  const rules = { ...rulesFor(1), opaqueTypes: new Set([0x6a]) };
  assert.equal(proofOf({ rules, transactions: [plain] }).encodable, true);
  assert.equal(proofOf({ rules, transactions: [plain, transactionOf({ type: 0x6a })] }).encodable, false);
});

test("what cannot be encoded is the block's error, with the field's whole path and who sent it", () => {
  const write = () => {
    throw new UnencodableError({ field: "r", expected: "a value", actual: "null" });
  };
  assert.throws(
    () => encode(proofOf({}), () => "transactions[3].", write),
    (error) => {
      assert(error instanceof VerificationError);
      const { endpoint, block, field } = error.facts;
      assert.deepEqual(
        { endpoint, block, field },
        { endpoint: "node", block: 7, field: "transactions[3].r" },
      );
      return true;
    },
  );
});

test("a defect of the encoder is not taken for an error of the block", () => {
  const defect = new TypeError("a defect");
  const write = () => {
    throw defect;
  };
  assert.throws(
    () => encode(proofOf({}), "", write),
    (error) => error === defect,
  );
});
