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
  blocksPerSecond: 3,
  ranges: { total: none, ranges: [] },
  leader: "h/o1",
  workers: [{ lives: true }],
  alerts: [],
} as unknown as Status;

const says = (change: object) => {
  const { level, text } = sentenceOf({ ...well, ...change } as Status);
  return `${level}: ${text}`;
};
const alert = (priority: string, message: string) => ({ kind: "lag", priority, message, ageSeconds: 5 });
const jobs = (change: object) => ({ jobs: { ...well.jobs, ...change } });

test("the sentence says what is wrong first, or that all is well and by what that shows", () => {
  assert.equal(says({}), "well: Following: none behind, head 1,000 is 4 s old. Nothing failed.");
  assert.equal(says({ lagBlocks: 1 }), "well: Following: 1 block behind. Nothing failed.");
  assert.equal(says({ head: null }), "well: Waiting: no head was seen yet. Nothing failed.");
  assert.equal(
    says({
      ...jobs({ pending: { count: 5_000, atLeast: false } }),
      ranges: { total: { count: 1, atLeast: false }, ranges: [] },
    }),
    "well: Working: 5,000 jobs in the queue, a range is open, 3.0 blocks/s. Nothing failed.",
  );
  assert.equal(
    says({ workers: [{ lives: false }] }),
    "critical: Nothing runs: no daemon works on this schema.",
  );
  assert.match(says({ leader: null }), /^critical: No daemon leads/);
  assert.equal(
    says({ pause: { reason: "moving", seconds: 5 } }),
    "warning: Paused (moving): nothing is claimed.",
  );
});

test("an alert's first sentence stands for it; errors go before warnings", () => {
  const warning = alert("warning", "2 jobs failed for good. Do this.");
  const error = alert("err", "Node 1.5 is down: HTTP 503. Nothing is lost. Wait.");
  assert.equal(says({ alerts: [warning, error] }), "critical: Node 1.5 is down: HTTP 503. And 1 more alert.");
  assert.equal(
    says({ alerts: [warning] }),
    "warning: Following: none behind, head 1,000 is 4 s old. 2 jobs failed for good.",
  );
});
