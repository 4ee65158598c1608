// The two encodings of JSON-RPC (https://ethereum.org/developers/docs/apis/json-rpc/#conventions-hex),
// read leniently where nodes differ (case, leading zeros) and strictly everywhere else.

import type { Hex, Quantity } from "../../block.js";

// One anchored pass over the string, which pays from some length on: entering the regular expression
// costs as much as looking at this many characters one by one.
const LOOKED_AT_LENGTH = 24;
const LOWER_CASE = /^0x[0-9a-f]*$/;
const ANY_CASE = /^0x[0-9a-fA-F]*$/;

/** Quantities with more digits than this are refused before anything is done with them. */
const MAX_QUANTITY_DIGITS = 64;

/** DATA: lower-case bytes, or undefined if it is not. `length` is in bytes; without it, any whole number. */
export function readBytes(value: unknown, length?: number): Hex | undefined {
  if (typeof value !== "string") return undefined;
  if (length === undefined ? value.length % 2 !== 0 : value.length !== 2 + 2 * length) return undefined;
  return lowerCaseHex(value);
}

/** QUANTITY: at most `bits` bits (a multiple of 4), without leading zeros, or undefined if it is not. */
export function readQuantity(value: unknown, bits: number): Quantity | undefined {
  if (typeof value !== "string" || value.length < 3 || value.length > 2 + MAX_QUANTITY_DIGITS)
    return undefined;
  const hex = lowerCaseHex(value);
  if (hex === undefined) return undefined;
  const quantity = withoutLeadingZeros(hex);
  return quantity.length <= 2 + bits / 4 ? quantity : undefined;
}

/** The same number without leading zeros: `0x00ff` is `0xff`, `0x00` is `0x0`. `hex` has digits. */
export function withoutLeadingZeros(hex: Hex): Quantity {
  const zero = 48;
  if (hex.charCodeAt(2) !== zero || hex.length === 3) return hex;
  let first = 3;
  while (first < hex.length - 1 && hex.charCodeAt(first) === zero) first += 1;
  return `0x${hex.slice(first)}`;
}

/** Most strings are lower case already, and are kept as they are. */
function lowerCaseHex(value: string): Hex | undefined {
  if (value.length <= LOOKED_AT_LENGTH ? isShortLowerCase(value) : LOWER_CASE.test(value))
    return value as Hex;
  return ANY_CASE.test(value) ? (value.toLowerCase() as Hex) : undefined;
}

function isShortLowerCase(value: string): boolean {
  if (value.charCodeAt(0) !== 48 || value.charCodeAt(1) !== 120) return false;
  for (let index = 2; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false;
  }
  return true;
}
