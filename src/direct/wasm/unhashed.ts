// Fields of a transaction that its hash does not cover must not contradict those that it does.

import { CHAIN_ID, GAS_PRICE, V, Y_PARITY } from "./generated/fields";
import { LEFT_PROOF } from "./generated/layout";
import { checkOtherFields, signsWithParity, signsWithV } from "./generated/types";
import { leaveUnless } from "./memory";
import { countOf, isEqual, isNull, lengthOf, numberIn } from "./object";
import { typeOf } from "./signature";

export function checkUnhashedFields(transaction: usize, chainId: u64): void {
  const type = typeOf(transaction);
  if (signsWithV(type)) {
    if (!isNull(transaction, V)) checkLegacySignature(transaction, chainId);
  } else if (signsWithParity(type)) {
    if (!isNull(transaction, Y_PARITY) && !isNull(transaction, V))
      expectValue(transaction, V, numberIn(transaction, Y_PARITY));
  } else return;
  checkOtherFields(transaction, type);
}

/** EIP-155: `v` holds the chain's id. Where it does not, some nodes name the chain that they serve, or 0. */
function checkLegacySignature(transaction: usize, served: u64): void {
  leaveUnless(countOf(transaction, V) <= 16, LEFT_PROOF);
  const v = numberIn(transaction, V);
  const signed = v >= 35;
  if (!isNull(transaction, CHAIN_ID)) {
    leaveUnless(countOf(transaction, CHAIN_ID) <= 16, LEFT_PROOF);
    const told = numberIn(transaction, CHAIN_ID);
    leaveUnless(signed ? told === (v - 35) / 2 : told === served || told === 0, LEFT_PROOF);
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
