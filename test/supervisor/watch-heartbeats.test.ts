// Who is killed for silence, on a clock that the test moves.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Logger } from "../../src/logger.js";
import type { Child } from "../../src/supervisor/child.js";
import { StartLimit } from "../../src/supervisor/start-limit.js";
import { watchHeartbeats } from "../../src/supervisor/watch-heartbeats.js";

const hungSeconds = 20;

/** Plays `seconds` seconds. Returns when the child was killed, in seconds; null: it was not. */
function play(
  t: TestContext,
  {
    seconds,
    hasLoaded,
    limit = new StartLimit(),
  }: { seconds: number; hasLoaded: boolean; limit?: StartLimit },
): number | null {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  t.mock.timers.enable({ apis: ["setInterval"] });
  let killedAt: number | null = null;
  const child = {
    workerId: "w1",
    hasLoaded,
    silentMs: () => now,
    kill: () => {
      assert.equal(killedAt, null, "a child is killed once");
      killedAt = now / 1_000;
    },
  } as unknown as Child;
  const watch = watchHeartbeats({
    children: new Set([child]),
    hungMs: () => hungSeconds * 1_000,
    startLimit: limit,
    log: { error() {} } as unknown as Logger,
  });
  for (let second = 0; second < seconds; second += 1) {
    now += 1_000;
    t.mock.timers.tick(1_000);
  }
  watch.close();
  t.mock.timers.reset();
  t.mock.restoreAll();
  return killedAt;
}

test("a child that works is killed when it is silent for hung_seconds", (t) => {
  assert.equal(play(t, { seconds: 100, hasLoaded: true }), hungSeconds);
});

test("a child that loads is given a minute, whatever hung_seconds is, and twice the time after each that was killed", (t) => {
  const limit = new StartLimit();
  assert.equal(play(t, { seconds: 59, hasLoaded: false, limit }), null);
  assert.equal(play(t, { seconds: 100, hasLoaded: false, limit }), 60);
  assert.equal(play(t, { seconds: 300, hasLoaded: false, limit }), 120);
  assert.equal(play(t, { seconds: 300, hasLoaded: false, limit }), 240);
});

test("where loading is slow, the next child has four times as long as the slowest one took, and at most half an hour", () => {
  const limit = new StartLimit();
  limit.loaded(2_000);
  assert.equal(limit.ms, 60_000);
  limit.loaded(40_000);
  assert.equal(limit.ms, 160_000);
  limit.loaded(1_000);
  assert.equal(limit.ms, 160_000);
  for (let kill = 0; kill < 10; kill += 1) limit.killed();
  assert.equal(limit.ms, 1_800_000);
});
