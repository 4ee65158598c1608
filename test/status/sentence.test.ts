import assert from "node:assert/strict";
import { test } from "node:test";
import { statusOrder } from "../../src/queue/job-status.js";
import type { Status } from "../../src/status/read-status.js";
import { sentenceOf } from "../../src/status/sentence.js";

const none = { count: 0, atLeast: false };
const well = {
  pause: null,
  jobs: Object.fromEntries(statusOrder.map((status) => [status, none])),
  head: { chainId: 1, headNumber: 1_000, headAgeSeconds: 4, seenAgeSeconds: 3 },
  lagBlocks: 0,
  lagIsAtLeast: false,
  lagSeconds: 4,
  blocksPerSecond: 3,
  ranges: { total: none, ranges: [] },
  leader: "h/o1",
  workers: [{ lives: true }],
  alerts: [],
} as unknown as Status;

const says = (change: object) => {
  const { level, standing, text } = sentenceOf({ ...well, ...change } as Status);
  return `${level} ${standing}: ${text}`;
};
const alert = (kind: string, priority: string, message: string, ageSeconds = 5) => ({
  kind,
  priority,
  message,
  ageSeconds,
});
const jobs = (change: object) => ({ jobs: { ...well.jobs, ...change } });

test("the sentence says what is wrong first, or that all is well and by what that shows", () => {
  assert.equal(says({}), "well following: Following. 0 blocks behind, 4 s. Nothing failed.");
  assert.equal(says({ lagBlocks: 1 }), "well following: Following. 1 block behind, 4 s. Nothing failed.");
  assert.equal(
    says({
      lagBlocks: 10_000,
      lagIsAtLeast: true,
      lagSeconds: null,
      ...jobs({ failed: { count: 2, atLeast: true } }),
    }),
    "well following: Following. At least 10,000 blocks behind. At least 2 failed.",
  );
  assert.equal(says({ head: null }), "well waiting: Waiting. No head was seen yet. Nothing failed.");
  assert.equal(
    says({
      ...jobs({ pending: { count: 5_000, atLeast: false } }),
      ranges: { total: { count: 1, atLeast: false }, ranges: [] },
    }),
    "well working: Working. 5,000 jobs in the queue, a range is open, 3.00 blocks/s. Nothing failed.",
  );
  assert.equal(
    says({ workers: [{ lives: false }] }),
    "critical stopped: Nothing runs: no daemon works on this schema.",
  );
  assert.match(says({ leader: null }), /^critical leaderless: No daemon leads/);
  assert.equal(
    says({ pause: { reason: "moving", seconds: 5 } }),
    "warning paused: Paused (moving): nothing is claimed.",
  );
});

test("an alert's first sentence stands for it; errors go before warnings", () => {
  const warning = alert("failed_jobs", "warning", "2 jobs failed for good. Do this.");
  const error = alert("error_rate", "err", "7 % of 1.5 thousand failed: HTTP 503. Nothing is lost. Wait.");
  assert.equal(
    says({ alerts: [warning, error] }),
    "critical failing: 7 % of 1.5 thousand failed: HTTP 503. Following. 0 blocks behind, 4 s. And 1 more alert.",
  );
  assert.equal(
    says({ alerts: [warning] }),
    "warning following: Following. 0 blocks behind, 4 s. 2 jobs failed for good.",
  );
});

test("where nothing gets on, it is stalled: since when, why, and what comes of it", () => {
  const down = alert(
    "endpoints_down",
    "err",
    "All 2 endpoints are down: a: HTTP 429; b: HTTP 429. Nothing is lost. Ask.",
    185,
  );
  const idle = alert("no_progress", "err", "Jobs wait, and no block was stored for 80 s. Look.", 20);
  assert.equal(
    says({ alerts: [idle, down] }),
    "critical stalled: Stalled for 3 min: all 2 endpoints are down: a: HTTP 429; b: HTTP 429. Nothing is lost; work resumes by itself.",
  );
  assert.equal(
    says({ alerts: [idle] }),
    "critical stalled: Stalled for 20 s: jobs wait, and no block was stored for 80 s.",
  );
  const lock = alert("lock_wait", "err", "PostgreSQL's process 7 holds a lock. End it.", 90);
  const lag = alert("lag", "err", "The newest stored block is behind. Look.");
  assert.equal(
    says({ alerts: [lag, idle, lock] }),
    "critical stalled: Stalled for 20 s: PostgreSQL's process 7 holds a lock. And 1 more alert.",
    "what keeps it from working is told, and not only that it does not",
  );
  assert.match(says({ alerts: [lock] }), /^critical failing: PostgreSQL's process 7/);
});
