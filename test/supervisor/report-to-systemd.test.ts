import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { reportToSystemd } from "../../src/supervisor/report-to-systemd.js";
import type { Snapshot } from "../../src/supervisor/snapshot.js";

const working: Snapshot = {
  phase: "working",
  workers: { wanted: 1, up: 1 },
  completed: 0,
  head: undefined,
  paused: undefined,
  failed: undefined,
  alert: undefined,
  databaseAwayMs: undefined,
  databaseSays: undefined,
  nodeAway: undefined,
  waitingFor: undefined,
  well: true,
};

/** What is sent at the start, and then at each look: one a second, by a clock that the test moves. */
function messagesOf(t: TestContext, snapshots: Partial<Snapshot>[], watchdogMs?: number): string[][] {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const looks: string[][] = [];
  let now: Snapshot = { ...working, ...snapshots[0] };
  let sent: string[] = [];
  const end = reportToSystemd({
    snapshot: () => now,
    notifier: { send: (...fields) => void sent.push(...fields) },
    watchdogMs,
  });
  looks.push(sent);
  for (const snapshot of snapshots.slice(1)) {
    sent = [];
    now = { ...working, ...snapshot };
    t.mock.timers.tick(1_000);
    looks.push(sent);
  }
  end();
  return looks.map((fields) => fields.map((field) => field.replace(/=.*USEC.*|=\d{6,}$/, "=…")));
}

test("it is ready at once, and says its status when that changed", (t) => {
  const [first, second, third] = messagesOf(t, [{}, {}, { workers: { wanted: 2, up: 1 } }]);
  assert.deepEqual(first, ["READY=1", "STATUS=0 blocks/min · 1/1 worker"]);
  assert.deepEqual(second, []);
  assert.deepEqual(third, ["STATUS=0 blocks/min · 1/2 workers"]);
});

test("a reload is announced with its time, and its end with READY", (t) => {
  const [, reloading, done] = messagesOf(t, [{}, { phase: "reloading" }, {}]);
  assert.equal(reloading?.[0], "RELOADING=1");
  assert.match(reloading?.[1] ?? "", /^MONOTONIC_USEC=/);
  assert.equal(done?.[0], "READY=1");
});

test("a stop is announced once, and asks for more time at each look", (t) => {
  const [, first, second] = messagesOf(t, [{}, { phase: "draining" }, { phase: "draining" }]);
  assert.deepEqual(first?.slice(0, 2), ["STOPPING=1", "EXTEND_TIMEOUT_USEC=…"]);
  assert.deepEqual(second, ["EXTEND_TIMEOUT_USEC=…"]);
});

test("the watchdog is fed while all is well, and only where there is one", (t) => {
  const [first, unwell] = messagesOf(t, [{}, { well: false }], 3_000);
  assert(first?.includes("WATCHDOG=1"));
  assert.deepEqual(unwell, []);
});

test("without a watchdog none is fed", (t) => {
  assert.deepEqual(messagesOf(t, [{}, {}])[1], []);
});
