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
