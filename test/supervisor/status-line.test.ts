import assert from "node:assert/strict";
import { test } from "node:test";
import type { Child } from "../../src/supervisor/child.js";
import { lookAtWorkers, type Snapshot } from "../../src/supervisor/snapshot.js";
import { describeSnapshot } from "../../src/supervisor/status-line.js";

const snapshot: Snapshot = {
  phase: "working",
  workers: { wanted: 5, up: 4 },
  completed: 0,
  head: { chain: 21_004_233, stored: 21_004_230 },
  databaseAwayMs: undefined,
  waitingFor: undefined,
  well: true,
};
const line = (change: Partial<Snapshot>) => describeSnapshot({ ...snapshot, ...change }, 1_042);

test("a daemon that works says its head, its lag, its rate and its workers", () => {
  assert.equal(line({}), "head 21,004,233 · lag 3 · 1,042 blocks/min · 4/5 workers");
});

test("what is not known is left out, and a schema that is ahead lags by nothing", () => {
  assert.equal(line({ head: undefined }), "1,042 blocks/min · 4/5 workers");
  assert.match(line({ head: { chain: 7, stored: undefined } }), /^head 7 · 1,042/);
  assert.match(line({ head: { chain: 7, stored: 9 } }), /lag 0/);
});

test("what it does instead of working, and what it waits for, come first; the database before all else", () => {
  assert.match(line({ phase: "draining" }), /^draining · head/);
  assert.match(line({ waitingFor: "all endpoints rest" }), /^waiting: all endpoints rest · head/);
  assert.match(
    line({ databaseAwayMs: 12_900, waitingFor: "it" }),
    /^waiting for the database for 12 s · head/,
  );
});

test("only workers that are idle or at work are up, and the first that waits says for what", () => {
  const child = (role: string, state: string, reason?: string) =>
    ({ role, state, doing: reason === undefined ? {} : { reason } }) as Child;
  assert.deepEqual(
    lookAtWorkers(
      new Set([
        child("worker", "idle"),
        child("worker", "working", "not told"),
        child("worker", "starting"),
        child("worker", "waiting"),
        child("worker", "waiting", "the node"),
        child("orchestrator", "waiting", "not a worker's"),
      ]),
    ),
    { up: 2, waitingFor: "the node" },
  );
});
