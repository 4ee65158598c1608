import assert from "node:assert/strict";
import { test } from "node:test";
import type { AbiParameter } from "viem";
import { nameOf, parseType } from "../../src/abi/parse-type.js";
import { SignatureError } from "../../src/abi/signature-error.js";

const shape = (type: string, components?: object[]) => {
  const { canonical, dynamic, headBytes } = parseType({ type, components } as AbiParameter);
  return [canonical, dynamic, headBytes];
};

test("a type says what is hashed, whether an offset leads to it, and how long its place is", () => {
  assert.deepEqual(shape("uint"), ["uint256", false, 32]);
  assert.deepEqual(shape("uint8[2][3]"), ["uint8[2][3]", false, 192]);
  assert.deepEqual(shape("string[2]"), ["string[2]", true, 32]);
  const pair = [{ type: "int" }, { type: "tuple", components: [{ type: "bytes4[2]" }] }];
  assert.deepEqual(shape("tuple", pair), ["(int256,(bytes4[2]))", false, 96]);
  assert.deepEqual(shape("tuple[]", [...pair, { type: "bytes" }]), [
    "(int256,(bytes4[2]),bytes)[]",
    true,
    32,
  ]);
});

test("what is no type, or one that no value can have, is refused", () => {
  const wrong = [
    "uint7",
    "uint264",
    "uint08",
    "int0",
    "bytes0",
    "bytes33",
    "fixed128x18",
    "Foo",
    "",
    "[]",
    "uint8[0]",
  ];
  for (const type of [
    ...wrong,
    "uint8[99999999999]",
    "uint8[x]",
    "uint8[-1]",
    "tuple",
    `uint8${"[]".repeat(99)}`,
  ])
    assert.throws(() => shape(type), SignatureError, type);
  assert.throws(() => parseType({} as AbiParameter), /expected a "type"/);
  assert.throws(
    () =>
      shape("tuple", [
        { type: "bool", name: "a" },
        { type: "bool", name: "a" },
      ]),
    /two fields are called a/,
  );
});

test("a name is letters, digits, _ and $", () => {
  assert.deepEqual([nameOf({}), nameOf({ name: "_a$1" })], ["", "_a$1"]);
  for (const name of ["a b", "1a", 'a"', "é", "a\0", 7])
    assert.throws(() => nameOf({ name } as never), SignatureError);
});
