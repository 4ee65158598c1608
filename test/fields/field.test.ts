import assert from "node:assert/strict";
import { test } from "node:test";
import { entriesOf, type Field, isKept, isNullable } from "../../src/fields/field.js";
import { hash, integer } from "../../src/fields/kinds.js";

const field = (more: Partial<Field> = {}): Field => ({ kind: hash, ...more });

test("a field may be null before its fork, or where it is optional; one with a value for what is missing is not", () => {
  assert.equal(isNullable(field()), false);
  assert.equal(isNullable(field({ since: "London" })), true);
  assert.equal(isNullable(field({ optional: "a contract's creation" })), true);
  assert.equal(isNullable(field({ kind: integer(9), missing: 0 })), false);
});

test("what repeats another field, is not read, or must be false, is not in the program's object", () => {
  assert.equal(isKept(field()), true);
  assert.equal(isKept(field({ repeats: "block.hash" })), false);
  assert.equal(isKept(field({ repeats: "block.hash", kept: true })), true);
  assert.equal(isKept(field({ unread: "nobody needs it" })), false);
  assert.equal(isKept(field({ kind: { is: "false", unless: "a log that stays" } })), false);
});

test("fields are told in the order in which they are described", () => {
  const fields = { b: field(), a: field() };
  assert.deepEqual(
    entriesOf(fields).map(([name]) => name),
    ["b", "a"],
  );
});
