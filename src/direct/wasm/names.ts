// The names of fields: from the text of a name to its number, and which kinds of objects know it.
//
// What the parser of the long way calls known is known here (src/chain/parse): a field that is not goes to a
// block's `extra`, and such a block the long way.

import { FIELDS, KINDS } from "./generated/fields";
import { NAMES_AT, NAMES_BYTES, SCRATCH_AT } from "./memory";

// A hash table of names, with open addressing: which field is at a place. Behind it each name's length, and three words of
// its text: the first eight letters, the last eight, and those between; a name has at most 24. Behind them which kind
// knows which field.
const TABLE_PLACES: u32 = 1024;
const NAME_BYTES: usize = 32;
const MOST_LETTERS: usize = 24;
const NAMED_AT: usize = NAMES_AT + (TABLE_PLACES as usize);
const KNOWN_AT: usize = NAMED_AT + (FIELDS as usize) * NAME_BYTES;

/** The first eight letters; those of a shorter name, and zeros. */
function firstOf(name: usize, length: usize): u64 {
  const letters = load<u64>(name);
  return length >= 8 ? letters : letters & (((1 as u64) << ((length as u64) * 8)) - 1);
}

/** The last eight letters of a name that has more. */
function lastOf(name: usize, length: usize): u64 {
  return length > 8 ? load<u64>(name + length - 8) : 0;
}

/** The eight letters behind the first of a name that has more than sixteen. */
function middleOf(name: usize, length: usize): u64 {
  return length > 16 ? load<u64>(name, 8) : 0;
}

function placeOf(first: u64, last: u64): u32 {
  return (((first ^ rotl<u64>(last, 23)) * 0x9e3779b97f4a7c15) >> 54) as u32;
}

/** The field of this name; 0: there is none. */
export function fieldNamed(name: usize, length: usize): i32 {
  if (length > MOST_LETTERS) return 0;
  const first = firstOf(name, length);
  const last = lastOf(name, length);
  let place = placeOf(first, last);
  for (;;) {
    const field = load<u8>(NAMES_AT + (place as usize)) as i32;
    if (field === 0) break;
    const named = NAMED_AT + (field as usize) * NAME_BYTES;
    if (
      load<u64>(named, 8) === first &&
      load<u64>(named, 16) === last &&
      (load<u32>(named) as usize) === length &&
      load<u64>(named, 24) === middleOf(name, length)
    )
      return field;
    place = (place + 1) & (TABLE_PLACES - 1);
  }
  return 0;
}

export function isKnown(kind: i32, field: i32): bool {
  return load<u8>(KNOWN_AT + ((kind * FIELDS + field) as usize)) !== 0;
}

/** Empties the table. */
export function forgetNames(): void {
  memory.fill(NAMES_AT, 0, NAMES_BYTES);
}

/** Names a field, which objects of these kinds have (a bit each). */
export function name(field: i32, text: string, kinds: i32): void {
  const letters = SCRATCH_AT;
  const length = text.length as usize;
  for (let i = 0; i < text.length; i++) store<u8>(letters + (i as usize), text.charCodeAt(i) as u8);
  const named = NAMED_AT + (field as usize) * NAME_BYTES;
  const first = firstOf(letters, length);
  const last = lastOf(letters, length);
  store<u32>(named, length as u32);
  store<u64>(named, first, 8);
  store<u64>(named, last, 16);
  store<u64>(named, middleOf(letters, length), 24);
  let place = placeOf(first, last);
  while (load<u8>(NAMES_AT + (place as usize)) !== 0) place = (place + 1) & (TABLE_PLACES - 1);
  store<u8>(NAMES_AT + (place as usize), field as u8);
  for (let kind = 0; kind < KINDS; kind++) {
    if ((kinds >> kind) & 1) store<u8>(KNOWN_AT + ((kind * FIELDS + field) as usize), 1);
  }
}
