// PostgreSQL's binary COPY format: https://www.postgresql.org/docs/current/sql-copy.html
// The fields are those of each type's receive function (src/backend/utils/adt/*.c, *_recv).
//
// A field is its length as int32, then its bytes; null is the length -1. Everything is big-endian.

import type { Hex, Quantity } from "../block.js";
import { MAX_TIMESTAMP } from "../fields/kinds.js";
import { jsonbText } from "./jsonb-text.js";
import { MAX_NUMERIC_DIGITS, splitNumericDigits } from "./numeric-digits.js";

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
const NULL_LENGTH = -1;
const TWO_TO_32 = 2 ** 32;

/** 2000-01-01, PostgreSQL's zero, in seconds since 1970. */
const POSTGRES_EPOCH_SECONDS = 946_684_800;

const BYTEA_OID = 17;
const TEXT_OID = 25;
const JSONB_VERSION = 1;

/** What stands before the rows: the signature, no flags, no extension. */
export const copyHeader = Buffer.concat([SIGNATURE, Buffer.alloc(8)]);

/** What stands behind the rows. */
export const copyTrailer = Buffer.from([0xff, 0xff]);

/** A part of what was written: from one `size` to another. */
export interface ByteSpan {
  from: number;
  to: number;
}

/** Writes rows, in the binary COPY format, into a buffer that it replaces by a larger one when it is full. */
export class CopyWriter {
  #buffer: Buffer = Buffer.alloc(0);
  #view = viewOf(this.#buffer);
  #at = 0;
  readonly #digits = new Uint16Array(MAX_NUMERIC_DIGITS + 1);

  /** Begins anew, in this memory, behind what it holds already. */
  begin(memory: Buffer, at = 0): void {
    this.#buffer = memory;
    this.#view = viewOf(memory);
    this.#at = at;
  }

  /** Bytes that the memory holds. */
  get size(): number {
    return this.#at;
  }

  /** What everything since `begin` lies in: not what was given to it, if that was too small. */
  get memory(): Buffer {
    return this.#buffer;
  }

  /** The bytes of a span, as they lie in `memory`. */
  bytesOf({ from, to }: ByteSpan): Buffer {
    return this.#buffer.subarray(from, to);
  }

  row(columnCount: number): void {
    this.#reserve(2);
    this.#int16(columnCount);
  }

  /** Throws RangeError outside of 16 bits. */
  int2(value: number | null): void {
    if (this.#wroteNull(value)) return;
    this.#reserve(6);
    if (value !== (value << 16) >> 16) throw new RangeError(`${value} is not a number of 16 bits`);
    this.#int32(2);
    this.#int16(value);
  }

  /** Throws RangeError outside of 32 bits. */
  int4(value: number | null): void {
    if (this.#wroteNull(value)) return;
    if (value !== (value | 0)) throw new RangeError(`${value} is not a number of 32 bits`);
    this.#reserve(8);
    this.#int32(4);
    this.#int32(value);
  }

  /** Throws RangeError for what is not a safe integer. */
  int8(value: number | null): void {
    if (this.#wroteNull(value)) return;
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`);
    this.#reserve(12);
    this.#int32(8);
    this.#int32(Math.floor(value / TWO_TO_32));
    this.#int32(value | 0);
  }

  /** numeric: digits of base 10000. Whether it fits the column's precision is PostgreSQL's to say. */
  numeric(value: Quantity | null): void {
    if (this.#wroteNull(value)) return;
    const digits = this.#digits;
    const count = splitNumericDigits(value, digits);
    let zeros = 0; // PostgreSQL keeps no trailing zero digits.
    while (zeros < count && digits[zeros] === 0) zeros += 1;
    const kept = count - zeros;
    this.#reserve(12 + kept * 2);
    this.#int32(8 + kept * 2);
    this.#int16(kept);
    this.#int16(kept === 0 ? 0 : count - 1); // weight: the first digit times 10000^weight
    this.#int32(0); // sign: positive; display scale: 0
    for (let index = count - 1; index >= zeros; index -= 1) this.#int16(digits[index] ?? 0);
  }

  /** Seconds since 1970, as microseconds since 2000. Throws RangeError beyond the year 294276. */
  timestamptz(seconds: number | null): void {
    if (this.#wroteNull(seconds)) return;
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_TIMESTAMP) {
      throw new RangeError(`${seconds} is not a time that PostgreSQL can hold`);
    }
    this.#reserve(12);
    this.#int32(8);
    const microseconds = BigInt(seconds - POSTGRES_EPOCH_SECONDS) * 1_000_000n;
    this.#view.setBigInt64(this.#at, microseconds);
    this.#at += 8;
  }

  bytea(value: Hex | null): void {
    if (this.#wroteNull(value)) return;
    this.#hex(value.slice(2));
  }

  bytes(value: Buffer): void {
    this.#reserve(4 + value.length);
    this.#int32(value.length);
    this.#at += value.copy(this.#buffer, this.#at);
  }

  /** A number as 32 bytes. */
  bytea32(value: Quantity | null): void {
    if (this.#wroteNull(value)) return;
    const digits = value.slice(2).padStart(64, "0");
    if (digits.length !== 64) throw new RangeError(`A number of ${digits.length} hex digits is not 32 bytes`);
    this.#hex(digits);
  }

  byteaArray(values: readonly Hex[] | null): void {
    if (this.#wroteNull(values)) return;
    this.#array(BYTEA_OID, values, (value) => this.#hex(value.slice(2)));
  }

  textArray(values: readonly string[]): void {
    this.#array(TEXT_OID, values, (value) => this.text(value));
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#reserve(4 + length);
    this.#int32(length);
    this.#at += this.#buffer.write(value, this.#at, "utf8");
  }

  /** A value that JSON can say, in the form in which PostgreSQL gives a jsonb back. */
  jsonb(value: object | null): void {
    if (this.#wroteNull(value)) return;
    const json = jsonbText(value);
    const length = Buffer.byteLength(json);
    this.#reserve(5 + length);
    this.#int32(1 + length);
    this.#view.setUint8(this.#at, JSONB_VERSION);
    this.#at += 1;
    this.#at += this.#buffer.write(json, this.#at, "utf8");
  }

  #array<Item>(oid: number, items: readonly Item[], write: (item: Item) => void): void {
    this.#reserve(24);
    const lengthAt = this.#at;
    this.#at += 4;
    this.#int32(items.length === 0 ? 0 : 1); // dimensions
    this.#int32(0); // no nulls
    this.#int32(oid);
    if (items.length > 0) {
      this.#int32(items.length);
      this.#int32(1); // lower bound
    }
    for (const item of items) write(item);
    this.#view.setInt32(lengthAt, this.#at - lengthAt - 4);
  }

  #wroteNull(value: unknown): value is null {
    if (value !== null) return false;
    this.#reserve(4);
    this.#int32(NULL_LENGTH);
    return true;
  }

  #hex(digits: string): void {
    const length = digits.length / 2;
    this.#reserve(4 + length);
    this.#int32(length);
    // Buffer.write stops without a word at the first thing that is not hex.
    const written = this.#buffer.write(digits, this.#at, length, "hex");
    if (written !== length) throw new RangeError(`${written} of ${length} bytes are hex`);
    this.#at += written;
  }

  #int16(value: number): void {
    this.#view.setInt16(this.#at, value);
    this.#at += 2;
  }

  #int32(value: number): void {
    this.#view.setInt32(this.#at, value);
    this.#at += 4;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
    this.#view = viewOf(grown);
  }
}

/** For numbers: a Buffer's own methods look at their arguments each time. */
function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
