import assert from "node:assert/strict";
import { test } from "node:test";
import { abortOnSignals } from "../../src/cli/abort-on-signals.js";

const signals = ["SIGINT", "SIGTERM"] as const;
const listeners = (): number[] => signals.map((name) => process.listenerCount(name));

for (const name of signals)
  test(`${name} aborts, and leaves the next signal of either kind to end the program`, () => {
    const before = listeners();
    const { signal, forgetSignals } = abortOnSignals();
    assert.deepEqual(
      listeners(),
      before.map((count) => count + 1),
    );
    process.emit(name);
    assert(signal.aborted);
    assert.deepEqual(listeners(), before);
    forgetSignals();
    assert.deepEqual(listeners(), before);
  });

test("who is done takes its handlers away", () => {
  const before = listeners();
  const { signal, forgetSignals } = abortOnSignals();
  forgetSignals();
  assert.deepEqual(listeners(), before);
  assert(!signal.aborted);
});
