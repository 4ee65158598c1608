import assert from "node:assert/strict";
import { test } from "node:test";
import { ClaimCursor } from "../../src/queue/claim-cursor.js";
import type { ClaimedJob } from "../../src/queue/job.js";

const jobs = (...places: [priority: number, block: number][]): ClaimedJob[] =>
  places.map(([priority, blockNumber]) => ({ priority, blockNumber }) as ClaimedJob);

/** A cursor whose last look from the start was at 1,000. */
function behind(last: ClaimedJob[], { limit = last.length, tookMs = 1 } = {}): ClaimCursor {
  const cursor = new ClaimCursor();
  cursor.claimed({ after: undefined, jobs: last, limit, now: 1_000, tookMs });
  return cursor;
}

test("the first claim looks from the start", () => {
  assert.equal(new ClaimCursor().next(0), undefined);
});

test("a claim goes on behind the last job in the order of claims: of the lowest priority, the highest block", () => {
  const cursor = behind(jobs([5, 90], [1, 7], [1, 9], [1, 8]));
  assert.deepEqual(cursor.next(1_001), { priority: 1, blockNumber: 9 });
});

test("a claim that got less than it asked for has seen the end: the next one looks from the start", () => {
  assert.equal(behind(jobs([0, 1]), { limit: 2 }).next(1_001), undefined);
  assert.equal(behind([], { limit: 1 }).next(1_001), undefined);
});

test("once a second a claim looks from the start", () => {
  const cursor = behind(jobs([0, 1]));
  assert.notEqual(cursor.next(1_999), undefined);
  assert.equal(cursor.next(2_000), undefined);
});

test("a slow look from the start takes a twentieth of the time at most", () => {
  const cursor = behind(jobs([0, 1]), { tookMs: 200 });
  assert.notEqual(cursor.next(4_999), undefined);
  assert.equal(cursor.next(5_000), undefined);
});

test("after a hint a claim looks from the start, 50 ms after the last look at the earliest, and once", () => {
  const cursor = behind(jobs([0, 1]));
  cursor.hint();
  assert.notEqual(cursor.next(1_049), undefined);
  assert.equal(cursor.next(1_050), undefined);
  cursor.claimed({ after: undefined, jobs: jobs([0, 2]), limit: 1, now: 1_050, tookMs: 1 });
  assert.deepEqual(cursor.next(1_200), { priority: 0, blockNumber: 2 });
});

test("a claim behind the last one is no look from the start", () => {
  const cursor = behind(jobs([0, 1]));
  cursor.claimed({
    after: { priority: 0, blockNumber: 1 },
    jobs: jobs([0, 2]),
    limit: 1,
    now: 1_900,
    tookMs: 1,
  });
  assert.equal(cursor.next(2_000), undefined);
});

test("what was claimed last and given back is found by the next claim", () => {
  const cursor = behind(jobs([0, 1]));
  cursor.reset();
  assert.equal(cursor.next(1_001), undefined);
});
