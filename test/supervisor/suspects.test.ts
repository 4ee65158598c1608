import assert from "node:assert/strict";
import { test } from "node:test";
import { Suspects } from "../../src/supervisor/suspects.js";

test("an endpoint is suspected for ten seconds after a death at its answer", () => {
  let now = 0;
  const suspects = new Suspects(() => now);
  assert.deepEqual(suspects.now(), []);
  suspects.add(1);
  now = 8_000;
  suspects.add(0);
  assert.deepEqual(suspects.now(), [1, 0]);
  now = 10_001;
  assert.deepEqual(suspects.now(), [0]);
  now = 18_001;
  assert.deepEqual(suspects.now(), []);
});
