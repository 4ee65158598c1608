import assert from "node:assert/strict";
import { test } from "node:test";
import type { Child } from "../../src/supervisor/child.js";
import { lookAtNodes, lookAtWorkers, type Snapshot } from "../../src/supervisor/snapshot.js";
import { describeSnapshot } from "../../src/supervisor/status-line.js";

const snapshot: Snapshot = {
  phase: "working",
  workers: { wanted: 5, up: 4 },
  completed: 0,
  head: { chain: 21_004_233, stored: 21_004_230, ageMs: 12_000 },
  paused: undefined,
  failed: { count: 0, atLeast: false },
  alert: undefined,
  databaseAwayMs: undefined,
  databaseSays: undefined,
  nodeAway: undefined,
  waitingFor: undefined,
  well: true,
};
const line = (change: Partial<Snapshot>) => describeSnapshot({ ...snapshot, ...change }, 1_042);

test("a daemon that works says its head, its lag, its rate and its workers", () => {
  assert.equal(line({}), "head 21,004,233 · lag 3 · 1,042 blocks/min · 4/5 workers");
});

test("what is not known is left out, and a schema that is ahead lags by nothing", () => {
  assert.equal(line({ head: undefined }), "1,042 blocks/min · 4/5 workers");
  assert.match(line({ head: { chain: 7, stored: undefined, ageMs: 0 } }), /^head 7 · 1,042/);
  assert.match(line({ head: { chain: 7, stored: 9, ageMs: 0 } }), /lag 0/);
});

test("what it does instead of working, and what it waits for, come first; the database before all else", () => {
  assert.match(line({ phase: "draining" }), /^draining · head/);
  assert.match(line({ waitingFor: "all endpoints rest" }), /^waiting: all endpoints rest · head/);
  assert.match(
    line({ databaseAwayMs: 12_900, waitingFor: "it" }),
    /^waiting for the database for 12 s · head/,
  );
});

test("an old head has its age in place of a lag, and what is known to be missing", () => {
  const head = (stored: number | undefined, seconds: number) =>
    line({ head: { chain: 7_000, stored, ageMs: seconds * 1_000 } }).split(" · 1,042")[0];
  assert.equal(head(7_000, 59), "head 7,000 · lag 0");
  assert.equal(head(7_000, 85), "head 7,000 is 80 s old");
  assert.equal(head(6_990, 85), "head 7,000 is 80 s old · lag at least 10");
  assert.equal(head(undefined, 600), "head 7,000 is 10 min old");
  assert.equal(head(7_000, 3 * 3_600), "head 7,000 is 3 h old");
  assert.equal(head(7_000, 400 * 86_400), "head 7,000 is 400 days old");
});

test("an open alert is told in one sentence, at the end, and not in more than a line", () => {
  assert.match(
    line({ alert: "The only endpoint is down: n: HTTP 503." }),
    / workers · alert: The only endpoint is down: n: HTTP 503\.$/,
  );
  assert.match(line({ alert: "long ".repeat(100) }), /alert: (long )+long…$/);
});

test("a pause, failed jobs, a node that is away and what the database says are told", () => {
  assert.match(line({ paused: "" }), /^paused · head/);
  assert.match(line({ paused: "moving the disk" }), /^paused \(moving the disk\) · head/);
  assert.match(line({ failed: { count: 1_200, atLeast: false } }), / workers · 1,200 failed$/);
  assert.match(line({ failed: { count: 10_000, atLeast: true } }), / · at least 10,000 failed$/);
  assert.match(
    line({ nodeAway: "n:1: refused", waitingFor: "it" }),
    /^waiting for a node: n:1: refused · head/,
  );
  assert.match(
    line({ databaseAwayMs: 3_000, databaseSays: "password authentication failed" }),
    /^waiting for the database for 3 s: password authentication failed · head/,
  );
});

test("a node is away when a process has no endpoint that is up, in the words of the first", () => {
  const child = (...endpoints: { name: string; state: string; reason: string | null }[]) =>
    ({ role: "orchestrator", state: "leading", doing: { endpoints } }) as unknown as Child;
  const up = { name: "a:1", state: "up", reason: null };
  const resting = { name: "b:2", state: "resting", reason: "HTTP 503" };
  assert.equal(lookAtNodes(new Set([child(), child(up, resting)])), undefined);
  assert.equal(lookAtNodes(new Set([child(resting), child(up)])), "b:2: HTTP 503");
  assert.equal(lookAtNodes(new Set([child({ ...resting, reason: "b:2: HTTP 503" })])), "b:2: HTTP 503");
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
