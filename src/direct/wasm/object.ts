// An object of an answer that was read: a slot for each of its fields. A slot says where the value's text begins (behind
// its quote), and how long it is; of a list, where it lies, and how many items it has.

import { SLOT_BYTES } from "./generated/fields";
import { LEFT_PLACE, LEFT_VALUE } from "./generated/layout";
import { checkDigits, isSame, number } from "./hex";
import { leave, leaveUnless } from "./memory";

/** Where a slot's value would begin, if it is null. 0: the field is not there. */
const NULL: usize = 1;

export function slotOf(object: usize, field: i32): usize {
  return object + (field as usize) * SLOT_BYTES;
}

/** Notes a value. A field that comes twice goes the long way. */
export function note(object: usize, field: i32, at: usize, length: usize): void {
  const slot = slotOf(object, field);
  leaveUnless(load<u32>(slot) === 0, LEFT_VALUE);
  store<u32>(slot, at as u32);
  store<u32>(slot, length as u32, 4);
}

/** Gives a field another value. */
export function renote(object: usize, field: i32, at: usize, length: usize): void {
  store<u32>(slotOf(object, field), at as u32);
  store<u32>(slotOf(object, field), length as u32, 4);
}

export function noteNull(object: usize, field: i32): void {
  note(object, field, NULL, 0);
}

export function isNull(object: usize, field: i32): bool {
  return valueAt(object, field) <= NULL;
}

/** Where the value begins. */
export function valueAt(object: usize, field: i32): usize {
  return load<u32>(slotOf(object, field)) as usize;
}

/** Characters of a text, items of a list; 0 for null. */
export function lengthOf(object: usize, field: i32): usize {
  return load<u32>(slotOf(object, field), 4) as usize;
}

/** Where the digits of a checked value begin. */
export function digitsOf(object: usize, field: i32): usize {
  return valueAt(object, field) + 2;
}

/** How many there are. */
export function countOf(object: usize, field: i32): usize {
  return lengthOf(object, field) - 2;
}

function checkPrefix(at: usize): void {
  leaveUnless(load<u16>(at) === 0x7830, LEFT_VALUE); // 0x
}

/** Leaves unless this text is exactly so many bytes of hex. */
export function checkBytes(at: usize, length: usize, bytes: usize): void {
  leaveUnless(length === 2 + 2 * bytes, LEFT_VALUE);
  checkPrefix(at);
  checkDigits(at + 2, 2 * bytes);
}

export function expectBytes(object: usize, field: i32, bytes: usize): void {
  leaveUnless(!isNull(object, field), LEFT_VALUE);
  checkBytes(valueAt(object, field), lengthOf(object, field), bytes);
}

export function expectBytesOrNull(object: usize, field: i32, bytes: usize): void {
  if (!isNull(object, field)) expectBytes(object, field, bytes);
}

/** Any number of bytes. */
export function expectData(object: usize, field: i32): void {
  const length = lengthOf(object, field);
  leaveUnless(!isNull(object, field) && length >= 2 && (length & 1) === 0, LEFT_VALUE);
  checkPrefix(valueAt(object, field));
  checkDigits(valueAt(object, field) + 2, length - 2);
}

/** A quantity without leading zeros. */
export function expectQuantity(object: usize, field: i32, bits: usize): void {
  const length = lengthOf(object, field);
  const at = valueAt(object, field);
  leaveUnless(!isNull(object, field) && length >= 3 && length <= 2 + bits / 4, LEFT_VALUE);
  checkPrefix(at);
  leaveUnless(length === 3 || load<u8>(at, 2) !== 0x30, LEFT_VALUE);
  checkDigits(at + 2, length - 2);
}

export function expectQuantityOrNull(object: usize, field: i32, bits: usize): void {
  if (!isNull(object, field)) expectQuantity(object, field, bits);
}

/** A quantity from 0 to `max`. */
export function expectInteger(object: usize, field: i32, max: u64): u64 {
  expectQuantity(object, field, 64);
  const value = number(digitsOf(object, field), countOf(object, field));
  leaveUnless(value <= max, LEFT_VALUE);
  return value;
}

export function expectIntegerOrNull(object: usize, field: i32, max: u64): void {
  if (!isNull(object, field)) expectInteger(object, field, max);
}

/** A checked quantity of at most 64 bits. */
export function numberIn(object: usize, field: i32): u64 {
  return number(digitsOf(object, field), countOf(object, field));
}

/** Whether both hold the same text, or neither any. */
export function isEqual(a: usize, field: i32, b: usize, other: i32): bool {
  if (isNull(a, field) || isNull(b, other)) return isNull(a, field) && isNull(b, other);
  const length = lengthOf(a, field);
  return length === lengthOf(b, other) && isSame(valueAt(a, field), valueAt(b, other), length);
}

/** Leaves unless one object repeats what the other one says. */
export function expectRepeated(object: usize, field: i32, source: usize, other: i32): void {
  if (isNull(object, field) || !isEqual(object, field, source, other)) leave(LEFT_PLACE);
}

/** Leaves unless the field is this number. */
export function expectNumber(object: usize, field: i32, value: u64): void {
  expectQuantity(object, field, 64);
  leaveUnless(numberIn(object, field) === value, LEFT_PLACE);
}

/** Leaves unless a list has at most so many values, of 32 bytes each. */
export function checkWords(object: usize, field: i32, most: usize): void {
  const count = lengthOf(object, field);
  leaveUnless(count <= most, LEFT_VALUE);
  const list = valueAt(object, field);
  for (let i: usize = 0; i < count; i++) checkBytes(load<u32>(list + 4 * i) as usize, 66, 32);
}
