import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBlock } from "../../src/cli/single-block.js";
import type { JobState } from "../../src/queue/read-job.js";

const stored = {
  number: 7,
  header: {
    number: "7",
    hash: `0x${"ab".repeat(32)}`,
    extra: null,
    timestamp: new Date(0),
    uncles: ["0x01"],
  },
  rows: { blocks: 1, transactions: 1_234, logs: 5, withdrawals: 0, tokenTransfers: 2 },
};
const job: JobState = { status: "completed", attempts: 2, absences: 0, lastError: null, result: null };
const plain = (_style: string, text: string) => text;
const lines = (state: JobState) =>
  formatBlock(stored, state, plain)
    .split("\n")
    .map((line) => line.trim());

test("a block is shown with what it has: nulls are left out, times and lists are readable", () => {
  const shown = lines(job);
  assert(shown.includes("Block 7"));
  assert(shown.some((line) => /^hash +0x(ab){32}$/.test(line)));
  assert(shown.some((line) => /^timestamp +1970-01-01T00:00:00\.000Z$/.test(line)));
  assert(shown.some((line) => /^uncles +\["0x01"\]$/.test(line)));
  assert(!shown.some((line) => line.startsWith("extra") || line.startsWith("number")));
  assert(shown.some((line) => /^transactions +1,234$/.test(line)));
});

test("the job's result is shown without the counts that stand above it", () => {
  const shown = lines({
    ...job,
    result: { transactions: 1_234, token_transfers: 2, fetch_ms: 1.5, endpoint: "node" },
  });
  assert(shown.some((line) => /^attempts +2$/.test(line)));
  assert(shown.some((line) => /^fetch_ms +1\.5$/.test(line)));
  assert(shown.some((line) => /^endpoint +node$/.test(line)));
  assert.equal(shown.filter((line) => line.startsWith("transactions")).length, 1);
  assert.equal(shown.filter((line) => line.startsWith("token_transfers")).length, 1);
});

test("a job without a result has no section", () => {
  assert(!lines(job).includes("Job"));
});
