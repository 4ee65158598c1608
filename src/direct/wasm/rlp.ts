// RLP (Ethereum yellow paper, appendix B), written backwards: the last field first, so that a list's length is known when
// its prefix is written. A mark is where what is written began when it was taken.

import { LEFT_PROOF } from "./generated/layout";
import { decodeWithin, digit } from "./hex";
import { keccak } from "./keccak";
import { HASH_AT, leaveUnless, reach, SCRATCH_AT, takenTo } from "./memory";
import { countOf, digitsOf, isNull, lengthOf, valueAt } from "./object";

/** The first byte that is written. */
let top: usize = 0;

/** Begins with nothing, with room for `bytes`. */
export function startRlp(bytes: usize): void {
  top = takenTo() + bytes;
  reach(top);
}

export function mark(): usize {
  return top;
}

/** Forgets what was written since. */
export function truncate(since: usize): void {
  top = since;
}

export function writeByte(value: u32): void {
  top -= 1;
  store<u8>(top, value as u8);
}

/** The bytes that these digits say, without a prefix. */
export function writeRaw(digits: usize, count: usize): void {
  top -= count / 2;
  decodeWithin(digits, count / 2, top);
}

/** A string of the bytes that these digits say. */
export function writeDigits(digits: usize, count: usize): void {
  const since = top;
  writeRaw(digits, count);
  closeString(since);
}

/** A field of bytes that was checked. */
export function writeBytes(object: usize, field: i32): void {
  writeDigits(digitsOf(object, field), countOf(object, field));
}

/** A checked quantity: big-endian, without leading zeros; zero is the empty string. */
export function writeQuantity(object: usize, field: i32): void {
  const digits = digitsOf(object, field);
  const count = countOf(object, field);
  const since = top;
  const odd = count & 1;
  writeRaw(digits + odd, count - odd);
  if (odd && load<u8>(digits) !== 0x30) writeByte(digit(digits));
  closeString(since);
}

/** The same for fields that may be null, and must not be here. */
export function presentBytes(object: usize, field: i32): void {
  leaveUnless(!isNull(object, field), LEFT_PROOF);
  writeBytes(object, field);
}

export function presentQuantity(object: usize, field: i32): void {
  leaveUnless(!isNull(object, field), LEFT_PROOF);
  writeQuantity(object, field);
}

/** A list of 32 bytes each. */
export function writeWords(object: usize, field: i32): void {
  const since = top;
  const list = valueAt(object, field);
  for (let i = lengthOf(object, field); i > 0; i--) {
    writeDigits((load<u32>(list + 4 * (i - 1)) as usize) + 2, 64);
  }
  closeList(since);
}

export function writeNumber(value: u64): void {
  const since = top;
  for (; value > 0; value >>= 8) writeByte((value & 0xff) as u32);
  closeString(since);
}

/** Makes what was written since the mark one string. */
export function closeString(since: usize): void {
  const length = since - top;
  if (length === 1 && load<u8>(top) < 0x80) return;
  writePrefix(length, 0x80);
}

/** Makes the items that were written since the mark one list. */
export function closeList(since: usize): void {
  writePrefix(since - top, 0xc0);
}

function writePrefix(length: usize, kind: u32): void {
  if (length < 56) {
    writeByte(kind + (length as u32));
    return;
  }
  const since = top;
  for (let rest = length; rest > 0; rest >>= 8) writeByte((rest & 0xff) as u32);
  writeByte(kind + 55 + ((since - top) as u32));
}

/** Hashes what was written since the mark, which stays. */
export function hashSince(since: usize): void {
  keccak(top, since - top);
}

/** Puts the hash of what was written since the mark, as a string of 32 bytes, in its place. */
export function replaceByHash(since: usize): void {
  hashSince(since);
  top = since - 32;
  memory.copy(top, HASH_AT, 32);
  writeByte(0xa0);
}

/** Whether the hash that was made last is what 64 digits say. */
export function isHash(digits: usize): bool {
  decodeWithin(digits, 32, SCRATCH_AT);
  return (
    load<u64>(SCRATCH_AT) === load<u64>(HASH_AT) &&
    load<u64>(SCRATCH_AT, 8) === load<u64>(HASH_AT, 8) &&
    load<u64>(SCRATCH_AT, 16) === load<u64>(HASH_AT, 16) &&
    load<u64>(SCRATCH_AT, 24) === load<u64>(HASH_AT, 24)
  );
}
