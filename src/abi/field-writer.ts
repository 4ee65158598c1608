// Fields of PostgreSQL's binary COPY (https://www.postgresql.org/docs/current/sql-copy.html), written from the bytes of
// ABI data. A field is its length as int32, then its bytes; null is the length -1. Everything is big-endian.
//
// src/store/copy-writer.ts writes the same format from a block's values.

const nullLength = -1;
const jsonbVersion = 1;
const negativeSign = 0x4000;

/** 256 bits in limbs of 24, which times 10^8 still fit a JavaScript number. */
const limbs = new Float64Array(11);
/** Base-10000 digits, least significant first: 2^256 has 20. */
const digits = new Uint16Array(22);

/** Object identifiers of the types that arrays are of (pg_type.dat). */
export const elementOids = {
  boolean: 16,
  bytea: 17,
  bigint: 20,
  integer: 23,
  text: 25,
  "numeric(78,0)": 1700,
} as const;

/** Writes fields one behind the other, into memory that it replaces by larger one when it is full. */
export class FieldWriter {
  #bytes: Buffer;
  #view: DataView;
  /** Where the next field begins. Set it back to forget what was written since. */
  at: number;

  constructor(memory: Buffer = Buffer.allocUnsafeSlow(4096)) {
    this.#bytes = memory;
    this.#view = viewOf(memory);
    this.at = 0;
  }

  /** What everything lies in, from 0 to `at`: not what was given to it, if that was too small. */
  get memory(): Buffer {
    return this.#bytes;
  }

  /** Begins anew, in this memory, behind what it holds already. */
  begin(memory: Buffer, at = 0): void {
    this.#bytes = memory;
    this.#view = viewOf(memory);
    this.at = at;
  }

  /** A row begins: the number of its fields. */
  row(fieldCount: number): void {
    this.#reserve(2);
    this.#view.setInt16(this.at, fieldCount);
    this.at += 2;
  }

  null(): void {
    this.#length(nullLength, 0);
  }

  boolean(value: boolean): void {
    this.#length(1, 1);
    this.#bytes[this.at] = value ? 1 : 0;
    this.at += 1;
  }

  /** 32 bits; what is above them is left out. */
  integer(value: number): void {
    this.#length(4, 4);
    this.#view.setInt32(this.at, value);
    this.at += 4;
  }

  /** 64 bits as two halves. */
  bigint(high: number, low: number): void {
    this.#length(8, 8);
    this.#view.setInt32(this.at, high);
    this.#view.setInt32(this.at + 4, low);
    this.at += 8;
  }

  /** A field as its bytes are: bytea. Or, with another type's bytes, any field. */
  bytea(from: Buffer, start: number, length: number): void {
    this.#length(length, length);
    // Up to a few words a loop is faster than a call into C++.
    if (length <= 32) {
      const bytes = this.#bytes;
      const at = this.at;
      for (let i = 0; i < length; i += 1) bytes[at + i] = from[start + i] as number;
    } else from.copy(this.#bytes, this.at, start, start + length);
    this.at += length;
  }

  /** The text that `value` is. It must hold no NUL. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#length(length, length);
    this.at += this.#bytes.write(value, this.at, "utf8");
  }

  /** JSON as PostgreSQL is to parse it. */
  jsonb(json: string): void {
    const length = Buffer.byteLength(json);
    this.#length(1 + length, 1 + length);
    this.#bytes[this.at] = jsonbVersion;
    this.at += 1 + this.#bytes.write(json, this.at + 1, "utf8");
  }

  /** The 256 bits at `start` as a numeric; `signed`: in two's complement. */
  numeric(view: DataView, start: number, signed: boolean): void {
    const negative = signed && view.getInt8(start) < 0;
    let count = negative ? splitLimbs(negatedLimbs(view, start)) : splitWord(view, start);
    let zeros = 0; // PostgreSQL keeps no trailing zero digits.
    while (zeros < count && digits[zeros] === 0) zeros += 1;
    const kept = count - zeros;
    this.#length(8 + kept * 2, 8 + kept * 2);
    const out = this.#view;
    let at = this.at;
    out.setInt16(at, kept);
    out.setInt16(at + 2, kept === 0 ? 0 : count - 1); // weight: the first digit times 10000^weight
    out.setInt16(at + 4, negative ? negativeSign : 0);
    out.setInt16(at + 6, 0); // display scale
    at += 8;
    while (count > zeros) {
      count -= 1;
      out.setInt16(at, digits[count] as number);
      at += 2;
    }
    this.at = at;
  }

  /** An array begins, of so many fields, which follow. What is given back goes to `endArray`. */
  beginArray(elementOid: number, count: number): number {
    this.#reserve(24);
    const began = this.at;
    const view = this.#view;
    view.setInt32(began + 4, count === 0 ? 0 : 1); // dimensions
    view.setInt32(began + 8, 0); // no nulls
    view.setInt32(began + 12, elementOid);
    this.at = began + 16;
    if (count > 0) {
      view.setInt32(began + 16, count);
      view.setInt32(began + 20, 1); // lower bound
      this.at = began + 24;
    }
    return began;
  }

  endArray(began: number): void {
    this.#view.setInt32(began, this.at - began - 4);
  }

  #length(length: number, room: number): void {
    this.#reserve(4 + room);
    this.#view.setInt32(this.at, length);
    this.at += 4;
  }

  #reserve(bytes: number): void {
    if (this.at + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.at + bytes));
    this.#bytes.copy(grown, 0, 0, this.at);
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }
}

/** A Buffer's own methods for numbers look at their arguments each time. */
export function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

const twoTo24 = 2 ** 24;
const twoTo32 = 2 ** 32;
const base = 10_000;
const baseSquared = base * base;

/** The digits of the 256 bits at `start`, and how many they are. */
function splitWord(view: DataView, start: number): number {
  let at = start;
  const last = start + 24;
  while (at < last && view.getUint32(at) === 0) at += 4;
  if (at === last) {
    const high = view.getUint32(last);
    // 53 bits, which a JavaScript number holds.
    if (high < 0x20_0000) return splitSmall(high * twoTo32 + view.getUint32(last + 4), 0);
  }
  const top = Math.ceil((start + 32 - at) / 3);
  for (let limb = 0; limb < top; limb += 1) {
    const end = start + 32 - 3 * limb;
    limbs[limb] =
      limb === 10 ? view.getUint16(start) : (view.getUint16(end - 3) << 8) | view.getUint8(end - 1);
  }
  return splitLimbs(top);
}

/** Puts what is below zero by so much into the limbs, and says how many they are. */
function negatedLimbs(view: DataView, start: number): number {
  let carry = 1;
  for (let limb = 0; limb < 11; limb += 1) {
    const end = start + 32 - 3 * limb;
    const bits =
      limb === 10 ? view.getUint16(start) : (view.getUint16(end - 3) << 8) | view.getUint8(end - 1);
    const sum = (limb === 10 ? 0xffff : 0xff_ffff) - bits + carry;
    const size = limb === 10 ? 0x1_0000 : twoTo24;
    carry = sum >= size ? 1 : 0;
    limbs[limb] = carry === 1 ? sum - size : sum;
  }
  return 11;
}

/** The digits of the lowest `top` limbs, which it uses up, and how many they are. */
function splitLimbs(top: number): number {
  let highest = top - 1;
  let count = 0;
  while (highest > 0 && limbs[highest] === 0) highest -= 1;
  while (highest > 1) {
    let rest = 0;
    for (let limb = highest; limb >= 0; limb -= 1) {
      const value = rest * twoTo24 + (limbs[limb] as number);
      const quotient = Math.floor(value / baseSquared);
      limbs[limb] = quotient;
      rest = value - quotient * baseSquared;
    }
    const higher = Math.floor(rest / base);
    digits[count] = rest - higher * base;
    digits[count + 1] = higher;
    count += 2;
    while (highest > 0 && limbs[highest] === 0) highest -= 1;
  }
  const small = (highest > 0 ? (limbs[1] as number) * twoTo24 : 0) + (limbs[0] as number);
  return splitSmall(small, count);
}

/** The digits of a number below 2^53, behind those that are there, and how many there are then. */
function splitSmall(value: number, from: number): number {
  let count = from;
  for (let rest = value; rest > 0; count += 1) {
    const higher = Math.floor(rest / base);
    digits[count] = rest - higher * base;
    rest = higher;
  }
  while (count > 0 && digits[count - 1] === 0) count -= 1;
  return count;
}
