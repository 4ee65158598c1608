import { TYPE, V, Y_PARITY } from "./generated/fields";
import { LEFT_PROOF } from "./generated/layout";
import { leaveUnless } from "./memory";
import { countOf, isNull, numberIn } from "./object";

/** The type of a transaction; where there is none, it is from before types. */
export function typeOf(transaction: usize): u32 {
  return isNull(transaction, TYPE) ? 0 : (numberIn(transaction, TYPE) as u32);
}

/** The parity of the signature's y: `yParity`, which older nodes call `v`. */
export function parityOf(transaction: usize): u32 {
  if (!isNull(transaction, Y_PARITY)) return numberIn(transaction, Y_PARITY) as u32;
  leaveUnless(!isNull(transaction, V) && countOf(transaction, V) === 1, LEFT_PROOF);
  const v = numberIn(transaction, V);
  leaveUnless(v <= 1, LEFT_PROOF);
  return v as u32;
}
