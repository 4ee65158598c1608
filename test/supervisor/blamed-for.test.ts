import assert from "node:assert/strict";
import { test } from "node:test";
import { blamedFor } from "../../src/supervisor/bury.js";
import type { ChildExit } from "../../src/supervisor/child.js";

const end = (exit: Partial<ChildExit>, asked = false) => ({
  exit: {
    code: null,
    signal: null,
    fatal: undefined,
    livedMs: 1_000,
    computing: "none",
    endpoint: undefined,
    ...exit,
  } as ChildExit,
  asked,
});

test("a death counts for the block that was computed, however it came", () => {
  assert.deepEqual(blamedFor(end({ signal: "SIGKILL", computing: 7 })), [7]);
  assert.deepEqual(blamedFor(end({ signal: "SIGABRT", computing: 7 }, true)), [7]);
});

test("one that broke by itself counts for all that it held, and one that was killed makes them suspects", () => {
  assert.equal(blamedFor(end({ signal: "SIGABRT" })), "all");
  assert.equal(blamedFor(end({ code: 1 })), "all");
  assert.equal(blamedFor(end({ signal: "SIGKILL" })), "suspects");
  assert.equal(blamedFor(end({ signal: "SIGKILL" }, true)), "none");
});

test("one that cannot work at all, and says so, counts for nothing", () => {
  assert.equal(blamedFor(end({ code: 1, fatal: "the endpoints serve another chain" })), "none");
});

test("what could not say what it computed counts for all", () => {
  assert.equal(blamedFor(end({ signal: "SIGKILL", computing: "unknown" })), "all");
});
