// Hex digits, sixteen at a time. Only lower case is known here: another spelling goes the long way.

import { LEFT_VALUE } from "./generated/layout";
import { leave } from "./memory";

/** The value of a digit that was checked: "0" is 0x30, "a" is 0x61. */
export function digit(at: usize): u32 {
  const code = load<u8>(at) as u32;
  return (code & 15) + 9 * (code >> 6);
}

/** Leaves unless `length` characters at `at` are lower-case hex digits. */
export function checkDigits(at: usize, length: usize): void {
  const end = at + length;
  while (at + 16 <= end) {
    const codes = v128.load(at);
    const isNumber = i8x16.le_u(i8x16.sub(codes, i8x16.splat(0x30)), i8x16.splat(9));
    const isLetter = i8x16.le_u(i8x16.sub(codes, i8x16.splat(0x61)), i8x16.splat(5));
    if (!i8x16.all_true(v128.or(isNumber, isLetter))) leave(LEFT_VALUE);
    at += 16;
  }
  while (at < end) {
    const code = load<u8>(at) as u32;
    if (!(code - 0x30 <= 9 || code - 0x61 <= 5)) leave(LEFT_VALUE);
    at += 1;
  }
}

/** The values of sixteen digits. */
function values(at: usize): v128 {
  const codes = v128.load(at);
  const isLetter = i8x16.shr_u(codes, 6);
  const low = v128.and(codes, i8x16.splat(15));
  return i8x16.add(low, i8x16.add(i8x16.shl(isLetter, 3), isLetter));
}

/** Sixteen values as eight bytes, each in a lane of 16 bits. */
function pairs(lanes: v128): v128 {
  return v128.and(v128.or(i16x8.shl(lanes, 4), i16x8.shr_u(lanes, 8)), i16x8.splat(0xff));
}

/** Writes the bytes that 2 * `length` digits say. May write up to 16 bytes more than that. */
export function decode(digits: usize, length: usize, to: usize): void {
  const end = to + length;
  while (to < end) {
    const first = pairs(values(digits));
    const second = pairs(values(digits + 16));
    v128.store(to, i8x16.narrow_i16x8_u(first, second));
    digits += 32;
    to += 16;
  }
}

/** The same, and not a byte more. */
export function decodeWithin(digits: usize, length: usize, to: usize): void {
  while (length >= 16) {
    const first = pairs(values(digits));
    const second = pairs(values(digits + 16));
    v128.store(to, i8x16.narrow_i16x8_u(first, second));
    digits += 32;
    to += 16;
    length -= 16;
  }
  if (length >= 8) {
    const eight = pairs(values(digits));
    store<u64>(to, i64x2.extract_lane(i8x16.narrow_i16x8_u(eight, eight), 0));
    digits += 16;
    to += 8;
    length -= 8;
  }
  for (; length > 0; length--) {
    store<u8>(to, ((digit(digits) << 4) | digit(digits + 1)) as u8);
    digits += 2;
    to += 1;
  }
}

/** A number of at most 16 digits. */
export function number(digits: usize, count: usize): u64 {
  let value: u64 = 0;
  for (let i: usize = 0; i < count; i++) value = (value << 4) | (digit(digits + i) as u64);
  return value;
}

/** Whether the same characters lie at both places. */
export function isSame(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  for (; i + 16 <= length; i += 16) {
    if (!i8x16.all_true(i8x16.eq(v128.load(a + i), v128.load(b + i)))) return false;
  }
  for (; i < length; i++) if (load<u8>(a + i) !== load<u8>(b + i)) return false;
  return true;
}

/** Whether all digits are 0. */
export function isZero(digits: usize, length: usize): bool {
  for (let i: usize = 0; i < length; i++) if (load<u8>(digits + i) !== 0x30) return false;
  return true;
}

/** The digit of a value below 16. */
export function digitOf(value: u8): u8 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
