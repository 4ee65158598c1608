import assert from "node:assert/strict";
import { test } from "node:test";
import { describeError } from "../src/errors.js";
import { createRedact, redactTexts } from "../src/redact.js";

const key = "k3y-in-the-path-0123456789";
const redact = createRedact([key]);

test("an error that is cut to any length tells no part of a key", () => {
  const error = new Error("the node says", { cause: new Error(`bad key ${key} at host, or ${key}`) });
  for (let length = 1; length <= 100; length += 1) {
    const told = describeError(error, length);
    assert(told.length <= length);
    assert.doesNotMatch(redact(told), /k3y/);
  }
  assert.equal(describeError(error, 24), "the node says: bad key …");
});

test("texts are redacted wherever they lie in a value, and the rest stays what it is", () => {
  const value = { count: 1, none: null, endpoints: [{ reason: `bad ${key}`, until: 2 }], name: key };
  assert.deepEqual(redactTexts(value, redact), {
    count: 1,
    none: null,
    endpoints: [{ reason: "bad [redacted]", until: 2 }],
    name: "[redacted]",
  });
});

test("a secret is blotted out however it was passed on", () => {
  const secret = 'p@ss"w/rd\\ü%#';
  const blot = createRedact([secret]);
  const json = JSON.stringify({ secret });
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const spelt: Record<string, string> = {
    "as it is": secret,
    "in JSON": json,
    "in JSON inside JSON": JSON.stringify({ body: json }),
    "in JSON with slashes escaped": json.replaceAll("/", "\\/"),
    "percent-encoded": encodeURIComponent(secret),
    "percent-encoded in lower case": encodeURIComponent(secret).replaceAll(/%../g, (each) =>
      each.toLowerCase(),
    ),
    "in base64": base64(secret),
    "in base64url": Buffer.from(secret).toString("base64url"),
  };
  for (const user of ["", "u", "us", "use", "user"])
    spelt[`behind ${user}: in an Authorization header`] = `Basic ${base64(`${user}:${secret}`)}`;
  for (const [how, text] of Object.entries(spelt)) {
    const told = blot(text);
    assert.match(told, /\[redacted\]/, how);
    const clean = told.replaceAll("[redacted]", "");
    assert.doesNotMatch(clean + Buffer.from(clean, "base64").toString(), /ss|w\/?rd/, `${how}: ${told}`);
  }
  assert.equal(blot("ordinary text, YWJj and 100%"), "ordinary text, YWJj and 100%");
});

test("nothing that steers a terminal gets out, as it is or JSON-escaped, and ordinary text stays", () => {
  const hostile = [
    "\u001b[2J",
    "\u0007",
    "\b",
    "\f",
    "\0",
    "\u007f",
    "\u009b31m",
    "\u202e",
    "\u2066",
    "\u200f",
    "\u061c",
  ];
  for (const text of [...hostile, "over\rwritten"]) {
    for (const told of [redact(text), JSON.parse(redact(JSON.stringify(text))) as string])
      assert.doesNotMatch(told, /[^\P{Cc}\t\n]|\p{Bidi_Control}/u, JSON.stringify(text));
    const escaped = `{"a":"\\u${(text.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}"}`;
    const { a } = JSON.parse(redact(escaped)) as { a: string };
    assert(a === "\ufffd" || a === "o", escaped);
  }
  const plain = "déjà 区块 🧱\ttab\nline\r\nC:\\\\begin \\\\u001b";
  assert.equal(redact(plain), plain);
});

test("a time among texts stays what it is", () => {
  const at = new Date(0);
  const found = redactTexts({ at, says: ["a secret"] }, (text) => text.replace("secret", "***"));
  assert.deepEqual(found, { at, says: ["a ***"] });
});
