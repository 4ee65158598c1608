import assert from "node:assert/strict";
import { test } from "node:test";
import { drainOnSignals } from "../../src/cli/signals.js";

for (const [first, second] of [
  ["SIGTERM", "SIGTERM"],
  ["SIGINT", "SIGTERM"],
  ["SIGTERM", "SIGINT"],
] as const) {
  test(`${first} drains, and ${second} after it stops`, () => {
    const before = { SIGTERM: process.listenerCount("SIGTERM"), SIGINT: process.listenerCount("SIGINT") };
    const asked: string[] = [];
    const end = drainOnSignals({
      async drain() {
        asked.push("drain");
      },
      async stop() {
        asked.push("stop");
      },
    });
    process.emit(first);
    assert.deepEqual(asked, ["drain"]);
    process.emit(second);
    assert.deepEqual(asked, ["drain", "stop"]);
    end();
    assert.equal(process.listenerCount("SIGTERM"), before.SIGTERM);
    assert.equal(process.listenerCount("SIGINT"), before.SIGINT);
  });
}
