import assert from "node:assert/strict";
import { test } from "node:test";
import { formatStatus } from "../../src/cli/status-report.js";
import { describePause } from "../../src/cli/tell-pause.js";
import { statusOrder } from "../../src/queue/job-status.js";
import type { Status } from "../../src/status/read-status.js";

const none = { count: 0, atLeast: false };
const empty = {
  schema: "public",
  pause: null,
  jobs: Object.fromEntries(statusOrder.map((status) => [status, none])),
  stored: none,
  newestBlock: null,
  head: null,
  lagBlocks: null,
  lagIsAtLeast: false,
  waiting: { jobs: 0, isAtLeast: false, firstBlock: null },
  blocksPerSecond: 0,
  ranges: { total: none, ranges: [] },
  leader: null,
  moreWorkers: false,
  workers: [],
  endpoints: [],
  feed: null,
  lockWait: null,
  alerts: [],
  failures: [],
} as unknown as Status;

const worker = (change: object = {}) => ({
  workerId: "a/w1",
  supervisorId: "a",
  role: "worker",
  hostname: "host",
  pid: 7,
  version: "0",
  state: "working",
  doing: {},
  seenAgeSeconds: 1,
  lives: true,
  ...change,
});

/** The lines of a status, single-spaced. */
const lines = (change: object) =>
  formatStatus({ ...empty, ...change } as Status, (_style, text) => text)
    .split("\n")
    .map((line) => line.trim().replace(/ +/g, " "));
const has = (change: object, line: string) =>
  assert(lines(change).includes(line), `${line}\nis not in\n${lines(change).join("\n")}`);

test("a schema in which nothing ever ran says so, and what to do", () => {
  has({}, 'schema "public", no chain seen yet');
  has({}, "head not seen yet");
  has({}, "Nothing runs. Start a daemon: blockmill start --config FILE");
  has(
    { workers: [worker({ lives: false })] },
    "Nothing runs (1 lost process will be swept away). Start a daemon: blockmill start --config FILE",
  );
});

test("a head is told with its age, and how far behind it the newest block is", () => {
  const head = { chainId: 1, headNumber: 1_234, headAgeSeconds: 12, seenAgeSeconds: 1 };
  has({ head, lagBlocks: 3, newestBlock: 1_231 }, "head 1,234, 3 behind, 12 s old, seen 1.0 s ago");
  has({ head, lagBlocks: 0, newestBlock: 1_234 }, "head 1,234, none behind, 12 s old, seen 1.0 s ago");
  has({ stored: { count: 5, atLeast: true }, newestBlock: 9 }, "stored >= 5 blocks, the newest is 9");
});

test("blocks that are not there yet are counted, with the first of them", () => {
  has(
    { waiting: { jobs: 3, isAtLeast: false, firstBlock: 1_235 } },
    "waiting 3 blocks not there yet, from 1,235 on",
  );
  has(
    { waiting: { jobs: 3, isAtLeast: true, firstBlock: 1_235 } },
    "waiting >= 3 blocks not there yet, from 1,235 on",
  );
});

test("failed jobs say how they are run again", () => {
  has(
    { jobs: { ...empty.jobs, failed: { count: 2, atLeast: false } } },
    "2 failed: blockmill retry --all runs them again",
  );
});

test("a worker says what it has in hand, or why it waits; one whose host is lost is lost", () => {
  has(
    { workers: [worker({ doing: { completed: 5, memoryMb: 120, blocks: [7, 8, 9] } })] },
    "host worker 7 working 5 120 MB now 7 +2",
  );
  has(
    { workers: [worker({ state: "waiting", doing: { reason: "all rest", blocks: [7] } })] },
    "host worker 7 waiting now all rest",
  );
  has({ workers: [worker(), worker({ lives: false, seenAgeSeconds: 70 })] }, "host worker 7 lost 1 min 10 s");
});

test("an endpoint is up, resting, resting for some, or refused, with its reason once", () => {
  const endpoint = (change: object) => ({
    name: "node",
    up: 2,
    resting: 0,
    refused: 0,
    reason: null,
    latencyMs: null,
    head: null,
    lag: null,
    ...change,
  });
  has({ endpoints: [endpoint({ latencyMs: 12.34, head: 1_000, lag: 0 })] }, "node up 12.3 ms 1,000 0");
  has({ endpoints: [endpoint({ resting: 1, reason: "429" })] }, "node resting for 1 of 3");
  has({ endpoints: [endpoint({ resting: 1, reason: "429" })] }, "node: 429");
  has({ endpoints: [endpoint({ up: 0, resting: 1, reason: "node: 429" })] }, "node: 429");
  has({ endpoints: [endpoint({ refused: 1 })] }, "node refused");
});

test("the sentence stands first, then alerts in whole, and a pause says how it ends", () => {
  const message = "what happened and what to do ".repeat(8).trim();
  const shown = lines({ alerts: [{ kind: "reorg_too_deep", priority: "err", message, ageSeconds: 5 }] });
  assert.deepEqual(shown.slice(0, 3), ["Nothing runs: no daemon works on this schema.", "", "Alerts"]);
  assert(shown.join(" ").includes(`reorg_too_deep, for 5.0 s: ${message}`));
  const pause = { pausedAt: new Date(), forSeconds: 90, reason: "a new disk", by: "ann on mill1" };
  assert.equal(
    describePause(pause),
    'for 1 min 30 s by ann on mill1, "a new disk"; blockmill resume ends it',
  );
  assert.equal(
    describePause({ ...pause, reason: null, by: null }),
    "for 1 min 30 s; blockmill resume ends it",
  );
  has({ pause }, 'paused for 1 min 30 s by ann on mill1, "a new disk"; blockmill resume ends it');
});

test("of many ranges and workers the rest is counted", () => {
  const range = { id: 1, from: 1, to: 100, next: 26, priority: 0, force: true };
  has({ ranges: { total: { count: 12, atLeast: false }, ranges: [range] } }, "1 1 100 25 % 75 0 again");
  has({ ranges: { total: { count: 12, atLeast: true }, ranges: [range] } }, "and >= 11 more");
  has({ workers: Array.from({ length: 43 }, () => worker()) }, "and 3 more");
});
