import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MAX_NUMERIC_DIGITS, splitNumericDigits } from "../../src/store/numeric-digits.js";

/** What the digits say. */
function split(value: bigint): bigint {
  const digits = new Uint16Array(MAX_NUMERIC_DIGITS);
  const count = splitNumericDigits(`0x${value.toString(16)}`, digits);
  if (count > 0) assert.notEqual(digits[count - 1], 0, "the highest digit is 0");
  return [...digits.subarray(0, count)].reduceRight((sum, digit) => {
    assert(digit < 10_000);
    return sum * 10_000n + BigInt(digit);
  }, 0n);
}

test("the digits of any number of at most 256 bits say that number", () => {
  const most = 2n ** 256n - 1n;
  for (const value of [0n, 1n, 9_999n, 10_000n, 2n ** 52n - 1n, 2n ** 52n, 2n ** 53n + 1n, most])
    assert.equal(split(value), value);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 256 }), fc.bigInt({ min: 0n, max: most }), (bits, value) => {
      const fitting = BigInt.asUintN(bits, value);
      assert.equal(split(fitting), fitting);
    }),
  );
});

test("a number beyond 256 bits is refused", () => {
  assert.throws(() => split(2n ** 256n), RangeError);
});
