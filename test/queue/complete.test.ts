import assert from "node:assert/strict";
import { test } from "node:test";
import { completion } from "../../src/queue/complete.js";
import type { Token } from "../../src/queue/job.js";
import type { JobResult } from "../../src/queue/job-result.js";

const result = {} as JobResult;
const token = (blockNumber: number, claimedAt = 5): Token => ({
  id: blockNumber * 10,
  blockNumber,
  workerId: "a/w1",
  claim: 1,
  claimedAt,
});

test("the lists of a completion are in the order of the blocks, whatever order they came in", () => {
  const { query } = completion(
    "a/w1",
    [3, 1, 2].map((block) => ({ token: token(block), result })),
  );
  assert(query.values?.includes("{1,2,3}"));
  assert(query.values?.includes("{10,20,30}"));
});

test("jobs of several claims are not completed together", () => {
  const completions = [
    { token: token(1), result },
    { token: token(2, 6), result },
  ];
  assert.throws(() => completion("a/w1", completions), /several claims/);
});

test("where no token holds, nothing is completed", () => {
  const { read } = completion("a/w1", []);
  assert.deepEqual(read({ rows: [{ ids: null }] } as never), new Set());
});
