// Fields of PostgreSQL's binary COPY format, as src/store/copy-writer.ts writes them: a length as int32, then the bytes;
// null is the length -1. Everything is big-endian.

import { decode, digit, number } from "./hex";
import { reach, takenTo } from "./memory";
import { countOf, digitsOf, isNull, lengthOf, valueAt } from "./object";

const NULL_LENGTH: u32 = 0xffffffff;
const BYTEA_OID: u32 = 17;
const JSONB_VERSION: u32 = 1;
/** 2000-01-01, PostgreSQL's zero, in seconds since 1970. */
const POSTGRES_EPOCH_SECONDS: i64 = 946_684_800;

/** The next byte. */
let out: usize = 0;
/** Digits of base 10000, lowest first, and the limbs that they are divided out of. */
let digits: usize = 0;
let limbs: usize = 0;

/** Begins to write behind `at`; `work` is 128 bytes of its own. */
export function startCopy(work: usize): void {
  digits = work;
  limbs = work + 64;
  out = takenTo();
}

export function written(): usize {
  return out;
}

/** Makes room for so many bytes. */
export function reserve(bytes: usize): void {
  reach(out + bytes);
}

export function put16(value: u32): void {
  store<u16>(out, bswap<u16>(value as u16));
  out += 2;
}

export function put32(value: u32): void {
  store<u32>(out, bswap<u32>(value));
  out += 4;
}

export function put8(value: u32): void {
  store<u8>(out, value as u8);
  out += 1;
}

export function putNull(): void {
  put32(NULL_LENGTH);
}

export function putInt2(value: u32): void {
  put32(2);
  put16(value);
}

export function putInt4(value: u32): void {
  put32(4);
  put32(value);
}

export function putInt8(value: u64): void {
  put32(8);
  store<u64>(out, bswap<u64>(value));
  out += 8;
}

/** Seconds since 1970, as microseconds since 2000. */
export function putTime(object: usize, field: i32): void {
  if (isNull(object, field)) {
    putNull();
    return;
  }
  const seconds = number(digitsOf(object, field), countOf(object, field)) as i64;
  putInt8(((seconds - POSTGRES_EPOCH_SECONDS) * 1_000_000) as u64);
}

/** A checked quantity as int2, int4, int8. */
export function putSmall(object: usize, field: i32): void {
  if (isNull(object, field)) putNull();
  else putInt2(number(digitsOf(object, field), countOf(object, field)) as u32);
}

export function putInt(object: usize, field: i32): void {
  if (isNull(object, field)) putNull();
  else putInt4(number(digitsOf(object, field), countOf(object, field)) as u32);
}

export function putBig(object: usize, field: i32): void {
  if (isNull(object, field)) putNull();
  else putInt8(number(digitsOf(object, field), countOf(object, field)));
}

/** Bytes that checked digits say. */
export function putDigits(at: usize, count: usize): void {
  put32((count / 2) as u32);
  decode(at, count / 2, out);
  out += count / 2;
}

export function putBytes(object: usize, field: i32): void {
  if (isNull(object, field)) putNull();
  else putDigits(digitsOf(object, field), countOf(object, field));
}

/** A number as 32 bytes. */
export function putWord(object: usize, field: i32): void {
  if (isNull(object, field)) {
    putNull();
    return;
  }
  const at = digitsOf(object, field);
  const count = countOf(object, field);
  put32(32);
  memory.fill(out, 0, 32);
  const bytes = (count + 1) / 2;
  const to = out + 32 - bytes;
  const odd = count & 1;
  if (odd) store<u8>(to, digit(at) as u8);
  decode(at + odd, count / 2, to + odd);
  out += 32;
}

export function putQuantity(object: usize, field: i32): void {
  if (isNull(object, field)) putNull();
  else putNumeric(digitsOf(object, field), countOf(object, field));
}

/** numeric, of 1 to 64 hex digits: base 10000, no trailing zeros, the first digit times 10000^weight. */
export function putNumeric(at: usize, count: usize): void {
  const all = count <= 16 ? splitNumber(number(at, count)) : splitWide(at, count);
  let zeros: usize = 0;
  while (zeros < all && load<u16>(digits + 2 * zeros) === 0) zeros += 1;
  const kept = all - zeros;
  put32(8 + 2 * (kept as u32));
  put16(kept as u32);
  put16(kept === 0 ? 0 : ((all - 1) as u32));
  put32(0); // sign: positive; display scale: 0
  for (let i = all; i > zeros; i--) put16(load<u16>(digits + 2 * (i - 1)) as u32);
}

/** Splits a number into base 10000, and returns how many digits there are. */
function splitNumber(value: u64): usize {
  let count: usize = 0;
  for (; value > 0; count++) {
    const higher = value / 10_000;
    store<u16>(digits + 2 * count, (value - higher * 10_000) as u16);
    value = higher;
  }
  return count;
}

/** The same for more than 64 bits: divided by 10^8 until nothing is left, two digits at a time. */
function splitWide(at: usize, hexDigits: usize): usize {
  let used: usize = 0;
  for (let left = hexDigits; left > 0; used++) {
    const taken = min<usize>(left, 8);
    left -= taken;
    store<u32>(limbs + 4 * used, number(at + left, taken) as u32);
  }
  let count: usize = 0;
  while (used > 0) {
    let rest: u64 = 0;
    for (let i = used; i > 0; i--) {
      const limb = (rest << 32) | (load<u32>(limbs + 4 * (i - 1)) as u64);
      const quotient = limb / 100_000_000;
      rest = limb - quotient * 100_000_000;
      store<u32>(limbs + 4 * (i - 1), quotient as u32);
    }
    while (used > 0 && load<u32>(limbs + 4 * (used - 1)) === 0) used -= 1;
    const high = (rest as u32) / 10_000;
    store<u16>(digits + 2 * count, ((rest as u32) - high * 10_000) as u16);
    store<u16>(digits + 2 * count + 2, high as u16);
    count += 2;
  }
  while (count > 0 && load<u16>(digits + 2 * (count - 1)) === 0) count -= 1;
  return count;
}

/** bytea[], of a list of 32 bytes each. */
export function putWords(object: usize, field: i32): void {
  if (isNull(object, field)) {
    putNull();
    return;
  }
  const count = lengthOf(object, field);
  const list = valueAt(object, field);
  reserve(64 + 36 * count);
  put32(count === 0 ? 12 : 20 + 36 * (count as u32));
  put32(count === 0 ? 0 : 1); // dimensions
  put32(0); // no nulls
  put32(BYTEA_OID);
  if (count === 0) return;
  put32(count as u32);
  put32(1); // lower bound
  for (let i: usize = 0; i < count; i++) putDigits((load<u32>(list + 4 * i) as usize) + 2, 64);
}

/** bytea: an item of a list of 32 bytes each; null behind its end. */
export function putItem(object: usize, field: i32, index: usize): void {
  if (index >= lengthOf(object, field)) putNull();
  else putDigits((load<u32>(valueAt(object, field) + 4 * index) as usize) + 2, 64);
}

/** Where a jsonb's length goes; its text follows. */
export function startJsonb(): usize {
  const at = out;
  out += 4;
  put8(JSONB_VERSION);
  return at;
}

export function endJsonb(at: usize): void {
  store<u32>(at, bswap<u32>((out - at - 4) as u32));
}

export function putText(at: usize, length: usize): void {
  memory.copy(out, at, length);
  out += length;
}

/** Letters of the program itself. */
export function putLetters(text: string): void {
  for (let i = 0; i < text.length; i++) put8(text.charCodeAt(i) as u32);
}

/** text, of letters of the program itself. */
export function putName(text: string): void {
  put32(text.length as u32);
  putLetters(text);
}

/** A field's text as a string of a jsonb. */
export function putQuotedField(object: usize, field: i32): void {
  putQuoted(valueAt(object, field), lengthOf(object, field));
}

/** A list of 32 bytes each as one of a jsonb. */
export function putQuotedWords(object: usize, field: i32): void {
  const count = lengthOf(object, field);
  const list = valueAt(object, field);
  putLetters("[");
  for (let i: usize = 0; i < count; i++) {
    if (i > 0) putLetters(", ");
    putQuoted(load<u32>(list + 4 * i) as usize, 66);
  }
  putLetters("]");
}

function putQuoted(at: usize, length: usize): void {
  putLetters('"');
  putText(at, length);
  putLetters('"');
}
