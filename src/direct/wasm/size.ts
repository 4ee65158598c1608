// The size of a block: bytes of its RLP, which follow from what its hash and roots cover.

import { SIZE } from "./generated/fields";
import { digitOf } from "./hex";
import { renote } from "./object";

/** "0x" and the digits of 64 bits. */
export const SIZE_LENGTH: usize = 18;

/** Bytes of a list, or of a string of more than one byte, with its prefix. */
export function listBytes(payload: usize): usize {
  if (payload < 56) return payload + 1;
  let bytes: usize = 1;
  for (let rest = payload; rest > 0; rest >>= 8) bytes += 1;
  return payload + bytes;
}

/** Bytes of a transaction in its block: a typed one is a string there (EIP-2718). */
export function itemBytes(encoded: usize, type: u32): usize {
  return type === 0 ? encoded : listBytes(encoded);
}

/** The block has this size, whatever its node says. `at`: room for the text. */
export function noteSize(header: usize, size: usize, at: usize): void {
  store<u16>(at, 0x7830); // 0x
  let digits: usize = 1;
  while (size >> (4 * digits) !== 0) digits += 1;
  for (let i: usize = 0; i < digits; i++)
    store<u8>(at + 2 + i, digitOf(((size >> (4 * (digits - 1 - i))) & 15) as u8));
  renote(header, SIZE, at, 2 + digits);
}
