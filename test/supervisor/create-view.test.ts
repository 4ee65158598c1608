import assert from "node:assert/strict";
import { test } from "node:test";
import { Counts } from "../../src/metrics/counts.js";
import type { Child } from "../../src/supervisor/child.js";
import { createView } from "../../src/supervisor/create-view.js";

test("a view tells what is known at the moment it is asked for", () => {
  const draining = new AbortController();
  const counts = new Counts();
  const lease = { ms: 2_000, reason: undefined as string | undefined };
  const child = {
    workerId: "a/w1",
    role: "worker",
    rank: 3,
    pid: undefined,
    state: "idle",
    doing: { memoryMb: 5 },
    gauges: {},
    livedMs: () => 1_500,
    silentMs: () => 250,
  } as unknown as Child;
  const view = createView({
    supervisorId: "a",
    version: "1",
    counts,
    draining: draining.signal,
    children: () => [child],
    workersWanted: () => 2,
    lease: () => ({ forMs: () => lease.ms, lostReason: () => lease.reason }),
  });
  const first = view();
  assert.deepEqual(
    [first.leaseForSeconds, first.leaseLostReason, first.isDraining, first.workersWanted],
    [2, null, false, 2],
  );
  assert.deepEqual(first.children, [
    {
      workerId: "a/w1",
      role: "worker",
      rank: 3,
      pid: null,
      state: "idle",
      doing: { memoryMb: 5 },
      upSeconds: 1.5,
      silentSeconds: 0.25,
      gauges: {},
    },
  ]);
  draining.abort();
  Object.assign(lease, { ms: -5_000, reason: "gone" });
  counts.observe("blockmill_web_request_seconds", ["/"], 1);
  const later = view();
  assert.deepEqual([later.leaseForSeconds, later.leaseLostReason, later.isDraining], [0, "gone", true]);
  assert.equal(later.counted.blockmill_web_request_seconds?.length, 1);
});
