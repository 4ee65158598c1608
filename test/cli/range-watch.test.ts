import assert from "node:assert/strict";
import { test } from "node:test";
import { nextWaitMs } from "../../src/cli/range-watch.js";

test("the progress is read ever more seldom, up to a second, and a slow read takes at most a tenth of the time", () => {
  assert.equal(nextWaitMs(50, 1), 60);
  assert.equal(nextWaitMs(1_000, 1), 1_000);
  assert.equal(nextWaitMs(1_000, 300), 3_000);
});

test("a read that was held up for a minute does not put off the next one for ten", () => {
  assert.equal(nextWaitMs(1_000, 60_000), 5_000);
});
