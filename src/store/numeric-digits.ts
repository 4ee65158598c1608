import type { Quantity } from "../block.js";

/** As many base-10000 digits as 2^256 - 1 has. */
export const MAX_NUMERIC_DIGITS = 20;

const BASE = 10_000;
/** Hex digits that are taken at a time: 10,000 times so many still fits a JavaScript number. */
const STEP = 9;
const STEP_FACTOR = 16 ** STEP;
/** 0x and 13 digits: at most 52 bits, which a JavaScript number holds exactly. */
const SMALL_LENGTH = 15;
const MAX_LENGTH = 2 + 64;

/**
 * Splits a number into PostgreSQL's base-10000 digits, least significant first, and returns how many
 * there are; none for 0. `digits` has room for MAX_NUMERIC_DIGITS. Throws RangeError above 256 bits.
 */
export function splitNumericDigits(quantity: Quantity, digits: Uint16Array): number {
  const { length } = quantity;
  if (length <= SMALL_LENGTH) return carryInto(digits, 0, numberIn(quantity, 2, length));
  if (length > MAX_LENGTH) throw new RangeError(`A quantity has ${length - 2} hex digits`);
  let to = 2 + ((length - 2) % STEP || STEP);
  let count = carryInto(digits, 0, numberIn(quantity, 2, to));
  for (; to < length; to += STEP) {
    let carry = numberIn(quantity, to, to + STEP);
    for (let i = 0; i < count; i += 1) {
      const sum = (digits[i] ?? 0) * STEP_FACTOR + carry;
      carry = Math.floor(sum / BASE);
      digits[i] = sum - carry * BASE;
    }
    count = carryInto(digits, count, carry);
  }
  return count;
}

/** Splits what is left of a number into digits behind those that are there, and returns how many there are then. */
function carryInto(digits: Uint16Array, from: number, value: number): number {
  let count = from;
  for (let rest = value; rest > 0; count += 1) {
    const higher = Math.floor(rest / BASE);
    digits[count] = rest - higher * BASE;
    rest = higher;
  }
  return count;
}

/** The number that a part of the hex digits says. */
function numberIn(quantity: Quantity, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i += 1) {
    const code = quantity.charCodeAt(i);
    // "0" is 0x30, "a" is 0x61.
    value = value * 16 + (code & 15) + 9 * (code >> 6);
  }
  return value;
}
