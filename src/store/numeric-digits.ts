import type { Quantity } from "../block.js";

/** As many base-10000 digits as 2^256 - 1 has. */
export const MAX_NUMERIC_DIGITS = 20;

const BASE = 10_000;
const THREE_DIGITS = 1_000_000_000_000n;
/** 13 hex digits: at most 52 bits, which a JavaScript number holds exactly. */
const SMALL_LENGTH = 15;
const MAX_LENGTH = 2 + 64;

/**
 * Splits a number into PostgreSQL's base-10000 digits, least significant first, and returns how many
 * there are; none for 0. `digits` has room for MAX_NUMERIC_DIGITS. Throws RangeError above 256 bits.
 */
export function splitNumericDigits(quantity: Quantity, digits: Uint16Array): number {
  if (quantity.length <= SMALL_LENGTH) return splitSmall(Number(quantity), digits, 0);
  if (quantity.length > MAX_LENGTH) throw new RangeError(`A quantity has ${quantity.length - 2} hex digits`);
  let rest = BigInt(quantity);
  let count = 0;
  while (rest >= THREE_DIGITS) {
    const low = Number(rest % THREE_DIGITS);
    rest /= THREE_DIGITS;
    digits[count] = low % BASE;
    digits[count + 1] = Math.floor(low / BASE) % BASE;
    digits[count + 2] = Math.floor(low / (BASE * BASE));
    count += 3;
  }
  return splitSmall(Number(rest), digits, count);
}

function splitSmall(value: number, digits: Uint16Array, from: number): number {
  let count = from;
  for (let rest = value; rest > 0; rest = Math.floor(rest / BASE)) {
    digits[count] = rest % BASE;
    count += 1;
  }
  return count;
}
