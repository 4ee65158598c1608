import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fields } from "../../src/fields/field.js";
import { integer } from "../../src/fields/kinds.js";
import { rlpPlacesOf } from "../../src/fields/rlp-places.js";

const kind = integer(9);
const namesOf = (fields: Fields) => rlpPlacesOf(fields).places.map((place) => place.map(([name]) => name));

test("fields are hashed in the order of their places, and those without one are not", () => {
  assert.deepEqual(namesOf({ b: { kind, rlp: 1 }, none: { kind }, a: { kind, rlp: 0 } }), [["a"], ["b"]]);
  assert.deepEqual(namesOf({ none: { kind } }), []);
});

test("fields of forks at the end may be left out, one between others may not", () => {
  const always = (fields: Fields) => rlpPlacesOf(fields).always;
  assert.equal(always({ a: { kind, rlp: 0 }, b: { kind, rlp: 1, since: "London" } }), 1);
  assert.equal(always({ a: { kind, rlp: 0, since: "London" }, b: { kind, rlp: 1 } }), 2);
});

test("a hole, and more than two at one place, are refused", () => {
  assert.throws(() => rlpPlacesOf({ a: { kind, rlp: 0 }, c: { kind, rlp: 2 } }), /Place 1 .* 0 fields/);
  const one = { kind, rlp: 0 };
  assert.throws(() => rlpPlacesOf({ a: one, b: one, c: one }), /Place 0 .* 3 fields/);
});
