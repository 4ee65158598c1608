// Fields of a transaction that its hash does not cover must not contradict those that it does.

import { CHAIN_ID, FROM, GAS_PRICE, TO, TYPE, V, Y_PARITY } from "./generated/fields";
import { LEFT_PROOF } from "./generated/layout";
import { checkOtherFields, signsWithParity, signsWithV } from "./generated/types";
import { leaveUnless } from "./memory";
import { countOf, isEqual, isNull, lengthOf, numberIn } from "./object";
import { typeOf } from "./signature";

export function checkUnhashedFields(transaction: usize, receipt: usize, chainId: u64): void {
  checkEcho(receipt, transaction, FROM);
  checkEcho(receipt, transaction, TO);
  checkEcho(receipt, transaction, TYPE);
  const type = typeOf(transaction);
  if (signsWithV(type)) checkLegacySignature(transaction, chainId);
  else if (signsWithParity(type)) {
    // The long way derives what is missing.
    leaveUnless(!isNull(transaction, Y_PARITY) && !isNull(transaction, V), LEFT_PROOF);
    expectValue(transaction, V, numberIn(transaction, Y_PARITY));
    leaveUnless(!isNull(transaction, CHAIN_ID), LEFT_PROOF);
    expectValue(transaction, CHAIN_ID, chainId);
  } else return;
  checkOtherFields(transaction, type);
}

/** What the receipt says again. */
function checkEcho(receipt: usize, transaction: usize, field: i32): void {
  leaveUnless(isNull(receipt, field) || isEqual(receipt, field, transaction, field), LEFT_PROOF);
}

/** EIP-155: `v` holds the chain's id. */
function checkLegacySignature(transaction: usize, served: u64): void {
  leaveUnless(!isNull(transaction, V) && countOf(transaction, V) <= 16, LEFT_PROOF);
  const v = numberIn(transaction, V);
  const signed = v >= 35;
  leaveUnless(isNull(transaction, CHAIN_ID) !== signed, LEFT_PROOF);
  if (signed) {
    leaveUnless((v - 35) / 2 === served, LEFT_PROOF);
    expectValue(transaction, CHAIN_ID, served);
  }
  if (!isNull(transaction, Y_PARITY)) {
    leaveUnless(numberIn(transaction, Y_PARITY) === ((signed ? v - 35 : v - 27) & 1), LEFT_PROOF);
  }
}

export function expectEmpty(transaction: usize, list: i32): void {
  leaveUnless(lengthOf(transaction, list) === 0, LEFT_PROOF);
}

export function expectGasPrice(transaction: usize, field: i32): void {
  if (!isNull(transaction, field))
    leaveUnless(isEqual(transaction, field, transaction, GAS_PRICE), LEFT_PROOF);
}

export function expectZero(transaction: usize, field: i32): void {
  if (!isNull(transaction, field)) expectValue(transaction, field, 0);
}

function expectValue(transaction: usize, field: i32, value: u64): void {
  leaveUnless(countOf(transaction, field) <= 16 && numberIn(transaction, field) === value, LEFT_PROOF);
}
