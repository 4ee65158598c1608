import type { Hex, Quantity } from "../../block.js";
import { KECCAK_RESERVED, type Keccak } from "./keccak.js";

/**
 * Writes RLP (Ethereum yellow paper, appendix B) into the memory that Keccak hashes, BACKWARDS: the
 * last field first. So the length of a list is known when its prefix is written, and neither a first
 * pass nor a temporary buffer is needed.
 *
 *     const mark = writer.size;
 *     writer.bytes("0x02");       // second item
 *     writer.quantity("0x1");     // first item
 *     writer.closeList(mark);     // [1, 0x02]
 *
 * A mark is the number of bytes that were written before, so it stays good when the memory grows.
 */
export class RlpWriter {
  readonly #keccak: Keccak;
  #memory: Buffer;
  /** Offset of the first written byte; everything from here to the end of the memory is written. */
  #start: number;

  constructor(keccak: Keccak) {
    this.#keccak = keccak;
    this.#memory = keccak.memory();
    this.#start = this.#memory.length;
  }

  /** Bytes that are written: a mark to come back to. */
  get size(): number {
    return this.#memory.length - this.#start;
  }

  /** Forgets what was written since the mark. */
  truncate(mark: number): void {
    this.#start = this.#memory.length - mark;
  }

  /** One raw byte, without a prefix. */
  byte(value: number): void {
    if (this.#start <= KECCAK_RESERVED) this.#grow(1);
    this.#start -= 1;
    this.#memory[this.#start] = value;
  }

  /** Raw bytes, without a prefix. */
  raw(hex: Hex): void {
    const length = (hex.length - 2) >> 1;
    if (this.#start - length < KECCAK_RESERVED) this.#grow(length);
    this.#start -= length;
    decodeHex(hex, this.#memory, this.#start, length);
  }

  /** A string of bytes. */
  bytes(hex: Hex): void {
    const mark = this.size;
    this.raw(hex);
    this.closeString(mark);
  }

  /** A number, big-endian, without leading zero bytes. */
  quantity(hex: Quantity): void {
    const mark = this.size;
    for (let i = hex.length - 1; i > 1; i -= 2) {
      const high = i > 2 ? digit(hex.charCodeAt(i - 1)) : 0;
      this.byte((high << 4) | digit(hex.charCodeAt(i)));
    }
    // Zero is the empty string.
    if (this.size === mark + 1 && this.#memory[this.#start] === 0) this.truncate(mark);
    this.closeString(mark);
  }

  /** A number below 2^53. */
  number(value: number): void {
    const mark = this.size;
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) this.byte(rest % 256);
    this.closeString(mark);
  }

  /** Makes what was written since the mark one string. */
  closeString(mark: number): void {
    const length = this.size - mark;
    if (length === 1 && (this.#memory[this.#start] ?? 0) < 0x80) return;
    this.#prefix(length, 0x80);
  }

  /** Makes the items that were written since the mark one list. */
  closeList(mark: number): void {
    this.#prefix(this.size - mark, 0xc0);
  }

  /** The Keccak-256 of what was written since the mark, which stays. */
  hash(mark: number): Hex {
    const to = this.#hashSince(mark, KECCAK_RESERVED - 32);
    return `0x${this.#memory.toString("hex", to, to + 32)}`;
  }

  /** The last 20 bytes of the Keccak-256 of what was written since the mark, which stays. */
  addressHash(mark: number): Hex {
    const to = this.#hashSince(mark, KECCAK_RESERVED - 32);
    return `0x${this.#memory.toString("hex", to + 12, to + 32)}`;
  }

  /** The first three 16-bit words of the Keccak-256 of what was written since the mark: see bloom.ts. */
  hashWords(mark: number): [number, number, number] {
    const to = this.#hashSince(mark, KECCAK_RESERVED - 32);
    const memory = this.#memory;
    return [memory.readUInt16BE(to), memory.readUInt16BE(to + 2), memory.readUInt16BE(to + 4)];
  }

  /** Puts the Keccak-256 of what was written since the mark, as a string of 32 bytes, in its place. */
  replaceByHash(mark: number): void {
    // The hash lies over the end of its own input, which is read before the hash is written.
    const to = this.#memory.length - mark - 32;
    if (to < KECCAK_RESERVED) this.#grow(32);
    this.#start = this.#hashSince(mark, this.#memory.length - mark - 32);
    this.byte(0xa0);
  }

  #hashSince(mark: number, to: number): number {
    this.#keccak.hash(this.#start, this.size - mark, to);
    return to;
  }

  #prefix(length: number, kind: 0x80 | 0xc0): void {
    if (length < 56) {
      this.byte(kind + length);
      return;
    }
    const mark = this.size;
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) this.byte(rest % 256);
    this.byte(kind + 55 + this.size - mark);
  }

  #grow(missing: number): void {
    const written = Buffer.from(this.#memory.subarray(this.#start));
    this.#keccak.grow(2 * this.#memory.length + missing);
    this.#memory = this.#keccak.memory();
    this.#start = this.#memory.length - written.length;
    this.#memory.set(written, this.#start);
  }
}

/** Below this many bytes a loop is faster than the call into Node's own decoder. */
const NATIVE_FROM_BYTES = 24;

function decodeHex(hex: Hex, into: Buffer, at: number, length: number): void {
  if (length >= NATIVE_FROM_BYTES) {
    into.write(hex.slice(2), at, length, "hex");
    return;
  }
  for (let i = 0, j = 2; i < length; i += 1, j += 2) {
    into[at + i] = (digit(hex.charCodeAt(j)) << 4) | digit(hex.charCodeAt(j + 1));
  }
}

/** The value of a lower-case hex digit: "0" is 0x30, "a" is 0x61. */
function digit(code: number): number {
  return (code & 15) + 9 * (code >> 6);
}
