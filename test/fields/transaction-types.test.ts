import assert from "node:assert/strict";
import { test } from "node:test";
import type { transactionFields } from "../../src/fields/transaction.js";
import {
  hasField,
  isSigned,
  TRANSACTION_TYPES,
  transactionType,
} from "../../src/fields/transaction-types.js";

const unknown = 0x71;

test("a type is found by its number, and an unknown one has no fields and no signature", () => {
  for (const type of TRANSACTION_TYPES) assert.equal(transactionType(type.type), type);
  assert.equal(transactionType(unknown), undefined);
  assert.equal(hasField(unknown, "nonce"), false);
  assert.equal(isSigned(unknown), false);
});

test("a type has the fields of its EIP", () => {
  const typesWith = (name: keyof typeof transactionFields) =>
    TRANSACTION_TYPES.filter(({ type }) => hasField(type, name)).map(({ type }) => type);
  assert.deepEqual(typesWith("gasPrice"), [0, 1]);
  assert.deepEqual(typesWith("accessList"), [1, 2, 3, 4]);
  assert.deepEqual(typesWith("maxFeePerGas"), [2, 3, 4]);
  assert.deepEqual(typesWith("blobVersionedHashes"), [3]);
  assert.deepEqual(typesWith("authorizationList"), [4]);
});

test("a deposit alone is signed by nobody", () => {
  assert.deepEqual(
    TRANSACTION_TYPES.filter(({ type }) => !isSigned(type)).map(({ type }) => type),
    [0x7e],
  );
});

test("no number is described twice, and a payload begins with its type's number, a legacy one's with nothing", () => {
  const numbers = TRANSACTION_TYPES.map(({ type }) => type);
  assert.equal(new Set(numbers).size, numbers.length);
  for (const { type, envelope } of TRANSACTION_TYPES) assert.deepEqual(envelope, type === 0 ? [] : [type]);
});
