// The two encodings of JSON-RPC (https://ethereum.org/developers/docs/apis/json-rpc/#conventions-hex),
// read leniently where nodes differ (case, leading zeros, a quantity without digits or as a JSON number, the address
// prefix of XDC) and strictly everywhere else.

import type { Hex, Quantity } from "../../block.js";
import { decimalText, isRawNumber } from "../../exact-number.js";

/** Quantities with more digits than this are refused before anything is done with them. */
const MAX_QUANTITY_DIGITS = 64;

/** Strings up to this length are looked at one by one: copying them out costs more. */
const SHORT_LENGTH = 24;
const SCRATCH_BYTES = 8 * 1024;

const LOWER_CASE = /^0x[0-9a-f]*$/;
const ANY_CASE = /^0x[0-9a-fA-F]*$/;

/** How XDC's nodes begin an address: xdc where others have 0x. */
const XDC_PREFIX = /^xdc/i;
const ADDRESS_BYTES = 20;

const ZERO = 48;
const X = 120;

/** 1 for each two bytes that are two lower-case digits, in either byte order. */
const DIGIT_PAIRS = digitPairs();

/**
 * Reads hex. Most of parsing a block is looking at its digits, so it happens two at a time, in a copy
 * of the string: half the time of a regular expression. The copy is why this is an object.
 */
export class HexReader {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  readonly #pairs = new Uint16Array(this.#scratch.buffer);

  /** DATA: lower-case bytes, or undefined if it is not. `length` is in bytes; without it, any whole number. */
  bytes(value: unknown, length?: number): Hex | undefined {
    if (typeof value !== "string") return undefined;
    if (length === undefined ? value.length % 2 !== 0 : value.length !== 2 + 2 * length)
      return length === ADDRESS_BYTES && XDC_PREFIX.test(value)
        ? this.bytes(value.replace(XDC_PREFIX, "0x"), length)
        : undefined;
    return this.#lowerCase(value);
  }

  /** QUANTITY: at most `bits` bits (a multiple of 4), without leading zeros, or undefined if it is not. */
  quantity(value: unknown, bits: number): Quantity | undefined {
    if (typeof value === "number") return this.#whole(value, bits);
    if (isRawNumber(value)) return this.#whole(decimalText(value) ?? "", bits);
    if (typeof value !== "string") return undefined;
    if (value === "0x") return "0x0";
    if (value.length < 3) return undefined;
    if (value.length > 2 + MAX_QUANTITY_DIGITS) return undefined;
    const hex = this.#lowerCase(value);
    if (hex === undefined) return undefined;
    const quantity = withoutLeadingZeros(hex);
    return quantity.length <= 2 + bits / 4 ? quantity : undefined;
  }

  #whole(value: number | string, bits: number): Quantity | undefined {
    // A larger number may have lost digits.
    if (typeof value === "number" ? !Number.isSafeInteger(value) : !/^\d{1,78}$/.test(value))
      return undefined;
    if (Number(value) < 0 || Object.is(value, -0)) return undefined;
    return this.quantity(`0x${BigInt(value).toString(16)}`, bits);
  }

  /** Most strings are lower case already, and are kept as they are. */
  #lowerCase(value: string): Hex | undefined {
    if (this.#isLowerCase(value)) return value as Hex;
    return ANY_CASE.test(value) ? (value.toLowerCase() as Hex) : undefined;
  }

  #isLowerCase(value: string): boolean {
    if (value.length > SCRATCH_BYTES) return LOWER_CASE.test(value);
    if (value.charCodeAt(0) !== ZERO || value.charCodeAt(1) !== X) return false;
    if (value.length <= SHORT_LENGTH) return isDigitsFrom(value, 2);
    // In UTF-8, what is not ASCII begins with a byte that is no digit.
    const pairs = this.#scratch.write(value) >>> 1;
    for (let index = 1; index < pairs; index += 1) {
      if (DIGIT_PAIRS[this.#pairs[index] ?? 0] !== 1) return false;
    }
    return isDigitsFrom(value, pairs * 2);
  }
}

function isDigitsFrom(value: string, from: number): boolean {
  for (let index = from; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false;
  }
  return true;
}

/** The same number without leading zeros: `0x00ff` is `0xff`, `0x00` is `0x0`. `hex` has digits. */
function withoutLeadingZeros(hex: Hex): Quantity {
  if (hex.charCodeAt(2) !== ZERO || hex.length === 3) return hex;
  let first = 3;
  while (first < hex.length - 1 && hex.charCodeAt(first) === ZERO) first += 1;
  return `0x${hex.slice(first)}`;
}

function digitPairs(): Uint8Array {
  const pairs = new Uint8Array(2 ** 16);
  const digits = [...Buffer.from("0123456789abcdef")];
  for (const high of digits) for (const low of digits) pairs[(high << 8) | low] = 1;
  return pairs;
}
