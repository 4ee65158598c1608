import assert from "node:assert/strict";
import { test } from "node:test";
import { accessListEntryFields } from "../../src/fields/transaction.js";
import { withdrawalFields } from "../../src/fields/withdrawal.js";
import { isHex, isItemOf } from "../../src/store/stored-item.js";

const address = `0x${"ab".repeat(20)}`;

test("an item has these fields, each of its kind, and no others", () => {
  const isEntry = isItemOf(accessListEntryFields);
  const entry = { address, storageKeys: [`0x${"00".repeat(32)}`] };
  assert.equal(isEntry(entry), true);
  for (const wrong of [
    { address },
    { ...entry, more: 1 },
    { ...entry, address: `${address}00` },
    { ...entry, storageKeys: ["0x00"] },
    { ...entry, storageKeys: null },
    [entry],
    null,
  ])
    assert.equal(isEntry(wrong), false, JSON.stringify(wrong));
});

test("a quantity in a jsonb has no leading zeros, and hex is lower case", () => {
  const isWithdrawal = isItemOf(withdrawalFields);
  const withdrawal = { index: "0x1", validatorIndex: "0x0", address, amount: "0xff" };
  assert.equal(isWithdrawal(withdrawal), true);
  for (const amount of ["0x00", "0x", "255", 255, `0x1${"0".repeat(64)}`, "0xFF"])
    assert.equal(isWithdrawal({ ...withdrawal, amount }), false, String(amount));
  assert.equal(isHex("0xAB", 1), false);
});
