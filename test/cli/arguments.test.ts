import assert from "node:assert/strict";
import { test } from "node:test";
import {
  blockNumber,
  blockSpan,
  checkHead,
  checkOrder,
  priority,
  wholeNumber,
  workers,
} from "../../src/cli/arguments.js";
import { UsageError } from "../../src/errors.js";

test("a whole number is written in digits, within its bounds", () => {
  const parse = wholeNumber({ min: -5, max: 20 });
  assert.deepEqual(["-5", "0", "020", "20"].map(parse), [-5, 0, 20, 20]);
  for (const text of ["-6", "21", "", " 1", "1.0", "1e1", "0x1", "+1", "1_0", "12345678901234567"])
    assert.throws(() => parse(text), /Expected a whole number from -5 to 20\./, text);
});

test("block numbers and priorities have the bounds of their columns", () => {
  assert.equal(blockNumber("9007199254740990"), Number.MAX_SAFE_INTEGER - 1);
  for (const text of ["-1", "9007199254740991"]) assert.throws(() => blockNumber(text), /whole number/);
  assert.deepEqual(["-2147483648", "2147483647"].map(priority), [-2_147_483_648, 2_147_483_647]);
  for (const text of ["-2147483649", "2147483648"]) assert.throws(() => priority(text), /whole number/);
});

test("a number may have the commas that it is printed with, and no others", () => {
  assert.deepEqual(["1,000", "20,199,999", "9,007,199,254,740,990"].map(blockNumber), [
    1_000,
    20_199_999,
    Number.MAX_SAFE_INTEGER - 1,
  ]);
  for (const text of ["1,00", "1000,000", ",100", "1,,000", "1,000,"])
    assert.throws(() => blockNumber(text), /whole number/, text);
});

test("FROM alone is one block", () => {
  assert.deepEqual(blockSpan(5, undefined), { from: 5, to: 5 });
  assert.deepEqual(blockSpan(5, 7), { from: 5, to: 7 });
  assert.throws(() => blockSpan(7, 5), UsageError);
});

test("workers are a number, bounds, or auto", () => {
  assert.deepEqual(["3", "2-8", "auto"].map(workers), [3, "2-8", "auto"]);
  for (const text of ["0", "8-2", "many", ""]) assert.throws(() => workers(text), /"auto", or MIN-MAX/, text);
});

test("a range goes upwards, and not beyond the head", () => {
  checkOrder(5, 5);
  assert.throws(() => checkOrder(6, 5), new UsageError("FROM (6) is beyond TO (5): expected FROM <= TO"));
  checkHead("TO", 5, 5);
  assert.throws(
    () => checkHead("TO", 6, 5),
    /^UsageError: TO \(6\) is beyond the chain's newest block: expected at most 5$/,
  );
});
