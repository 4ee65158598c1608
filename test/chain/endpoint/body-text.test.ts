import assert from "node:assert/strict";
import { test } from "node:test";
import { BodyText } from "../../../src/chain/endpoint/body-text.js";

/** Cut wherever, also within a character. */
const cut = (text: string, at: number): [Buffer[], number] => {
  const bytes = Buffer.from(text);
  return [[bytes.subarray(0, at), bytes.subarray(at)], bytes.length];
};

test("an answer in pieces is read as it was sent, also where a character is cut", () => {
  const body = new BodyText();
  for (const text of ["añb", "a much longer one: €", "", "x"])
    for (let at = 0; at <= Buffer.byteLength(text); at += 1) assert.equal(body.read(...cut(text, at)), text);
});

test("nothing of a longer answer before it is left", () => {
  const body = new BodyText();
  body.read(...cut("a".repeat(1_000), 10));
  assert.equal(body.read(...cut("bcd", 1)), "bcd");
});

test("an answer of more than 4 MB is read too", () => {
  const text = "é".repeat(2.2 * 1024 * 1024);
  assert.equal(new BodyText().read(...cut(text, 1_001)) === text, true);
});
