import assert from "node:assert/strict";
import { test } from "node:test";
import { mayBeError } from "../../src/chain/endpoint/may-be-error.js";

const result = `{"jsonrpc":"2.0","id":1,"result":{"number":"0x1","hash":"${"0".repeat(2_000)}"}}`;

/** The text in pieces of so many bytes. */
function cut(text: string, bytes: number): Buffer[] {
  const whole = Buffer.from(text);
  return Array.from({ length: Math.ceil(whole.length / bytes) }, (_, i) =>
    whole.subarray(i * bytes, (i + 1) * bytes),
  );
}

for (const bytes of [1, 2, 7, 17, 100, 100_000]) {
  test(`an error is seen wherever an answer is cut: pieces of ${bytes} bytes`, () => {
    assert(!mayBeError(cut(result, bytes)));
    assert(mayBeError(cut('{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"slow"}}', bytes)));
    assert(mayBeError(cut(`{"error":{"code":-32601,"data":"${"x".repeat(3_000)}"},"id":1}`, bytes)));
    assert(!mayBeError(cut(result.replace('"result"', '"error":null,"result"'), bytes)));
  });
}

test("an error with null in its data is one, and so is an answer that says neither", () => {
  for (const fields of [
    '"error":{"code":-32005,"data":{"error":null,"result":1}}',
    '"result":null,"error":{"code":-32005,"data":{"error":null}}',
    '"code":429,"message":"Too many requests"',
    `"junk":"${"x".repeat(2_000)}","result":null`,
  ])
    assert(mayBeError([Buffer.from(`{"jsonrpc":"2.0","id":1,${fields}}`)]), fields);
});

test("what is no object is looked at at once", () => {
  for (const text of ["", "<html>", "[", " {}", "null"]) assert(mayBeError([Buffer.from(text)]), text);
  assert(mayBeError([]));
});
