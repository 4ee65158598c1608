import assert from "node:assert/strict";
import { test } from "node:test";
import { decimalText, isRawNumber, parseExactly, type RawNumber } from "../src/exact-number.js";
import { jsonbText } from "../src/store/jsonb-text.js";

const raw = (text: string): RawNumber => {
  const value = parseExactly(`[${text}]`) as unknown[];
  assert(isRawNumber(value[0]), text);
  return value[0];
};

test("a number that a JavaScript number equals is one", () => {
  for (const text of ["0", "-1", "1.5", "9007199254740991", "1e3", "0.1", "1.5e-7", "123456.7890123456"])
    assert.deepEqual(parseExactly(`{"a":${text}}`), { a: Number(text) }, text);
});

test("a number that none equals keeps its digits", () => {
  for (const text of [
    "9007199254740993",
    "-12345678901234567890",
    "0.10000000000000000001",
    "1e400",
    "1e-400",
  ])
    assert.equal(JSON.stringify(raw(text)), text);
});

test("a text is none, whatever it looks like", () => {
  const text = '{"a":":12345678901234567890","b":"1e999"}';
  assert.deepEqual(parseExactly(text), JSON.parse(text));
});

test("what is no JSON is refused as ever", () => {
  assert.throws(() => parseExactly("[12345678901234567890"), SyntaxError);
  assert.throws(() => parseExactly("nothing"), SyntaxError);
});

test("jsonb gets the digits as numeric prints them", () => {
  const printed = (text: string) => jsonbText(parseExactly(`[${text}]`)).slice(1, -1);
  assert.equal(printed("12345678901234567890"), "12345678901234567890");
  assert.equal(printed("-12345678901234567890.50"), "-12345678901234567890.50");
  assert.equal(printed("1.2345678901234567890e25"), "12345678901234567890000000");
  assert.equal(printed("12345678901234567890e-25"), "0.0000012345678901234567890");
  assert.equal(printed("-0.00000000000000000000"), "0");
  assert.equal(printed("1e21"), "1000000000000000000000");
  assert.equal(printed("1.5"), "1.5");
});

test("a number of very many digits has no text", () => {
  assert.equal(decimalText(raw("1e5000")), undefined);
  assert.equal(decimalText(raw(`1${"0".repeat(5_000)}`)), undefined);
  assert.equal(decimalText(raw("1e-999999999999999999999")), undefined);
});
