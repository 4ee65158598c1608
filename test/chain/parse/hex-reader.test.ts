import assert from "node:assert/strict";
import { test } from "node:test";
import { HexReader } from "../../../src/chain/parse/hex-reader.js";

const hex = new HexReader();

test("bytes are of the stated length, in lower case whatever case they came in", () => {
  assert.equal(hex.bytes("0xAbCd", 2), "0xabcd");
  assert.equal(hex.bytes("0x"), "0x");
  for (const [value, length] of [
    ["0xabc", undefined],
    ["0xab", 2],
    ["0Xab", 1],
    ["ab", 1],
    [7, 1],
  ] as const)
    assert.equal(hex.bytes(value, length), undefined, String(value));
});

test("whatever is no digit is found, wherever in short, long and very long strings it stands", () => {
  for (const digits of [8, 64, 1_000, 20_000]) {
    const text = `0x${"a0".repeat(digits / 2)}`;
    assert.equal(hex.bytes(text), text);
    for (const at of [2, 3, digits / 2, digits, digits + 1])
      for (const wrong of ["g", " ", "é", "\u{1d7d8}".slice(0, 1)])
        assert.equal(
          hex.bytes(text.slice(0, at) + wrong + text.slice(at + 1)),
          undefined,
          `${digits}, ${at}`,
        );
  }
});

test("a quantity has no leading zeros, and at most so many bits", () => {
  assert.equal(hex.quantity("0x00ff", 64), "0xff");
  assert.equal(hex.quantity("0x000", 64), "0x0");
  assert.equal(hex.quantity("0xffffffffffffffff", 64), "0xffffffffffffffff");
  assert.equal(hex.quantity("0x10000000000000000", 64), undefined);
  assert.equal(hex.quantity(`0x${"0".repeat(60)}1`, 8), "0x1");
  for (const value of ["", "0xg", `0x${"0".repeat(65)}`, -5, -0, 5.5, 2 ** 53, Number.NaN, null])
    assert.equal(hex.quantity(value, 256), undefined, String(value));
});

test("a quantity may have no digits, or be a JSON number that has all of its own", () => {
  assert.equal(hex.quantity("0x", 64), "0x0");
  assert.equal(hex.quantity(0, 64), "0x0");
  assert.equal(hex.quantity(21_000, 64), "0x5208");
  assert.equal(hex.quantity(Number.MAX_SAFE_INTEGER, 64), "0x1fffffffffffff");
  assert.equal(hex.quantity(256, 8), undefined);
});

test("an address may begin as XDC's do", () => {
  const digits = "3B5C1a2e".repeat(5);
  for (const prefix of ["xdc", "XDC"])
    assert.equal(hex.bytes(prefix + digits, 20), `0x${digits.toLowerCase()}`);
  assert.equal(hex.bytes(`xdc${digits}00`, 20), undefined);
  assert.equal(hex.bytes(`xdc${"0".repeat(64)}`, 32), undefined);
});
