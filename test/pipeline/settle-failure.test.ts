// What becomes of a job, by what was thrown.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BadResponseError,
  BlockNotFoundError,
  BlockUnavailableError,
  UnstorableBlockError,
} from "../../src/errors.js";
import { addOutcome, type FailureOptions, settleFailure } from "../../src/pipeline/settle-failure.js";
import { claimJobs } from "../../src/queue/claim.js";
import { BrokenLinkError } from "../../src/store/check-links.js";
import { silent } from "../orchestrator/scene.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();

/** Claims a block, and settles its failure; `head`: the chain's, of which all but 64 blocks are final. */
async function settle(error: unknown, { block = 7, head = 100, more = {} as Partial<FailureOptions> } = {}) {
  await queue.insert([block]);
  await queue.rows(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values (1, 0, $1, sha256(''), now())`,
    [head],
  );
  const [job] = await claimJobs(queue.pool, { workerId: "a/w1", limit: 1 });
  assert(job !== undefined);
  const options: FailureOptions = {
    pool: queue.pool,
    maxAttempts: 3,
    backoff: { baseMs: 60_000, maxMs: 60_000 },
    finalityDepth: 64,
    log: silent,
    redact: (text) => text.replaceAll("hunter2", "[secret]"),
    ...more,
  };
  const outcome = await settleFailure(options, { job, error });
  const { status, attempts, last_error } = await queue.job(block);
  const [failure] = await queue.rows<{ class: string; endpoint: string | null }>(
    "select class, endpoint from processing_failures",
  );
  return { outcome, status, attempts, said: last_error, failure };
}

const failed = { completed: 0, failed: 1, lost: 0 };
const nothing = { completed: 0, failed: 0, lost: 0 };
const notThere = new BlockNotFoundError("node does not have block 7", { block: 7 });
const wrongReceipts = new BadResponseError({
  endpoint: "node",
  field: "receipts[3]",
  expected: "a",
  actual: "b",
});

test("what went wrong counts an attempt, backs off, and is recorded with the endpoint that is to blame, without secrets", async () => {
  const wrong = new BadResponseError({ endpoint: "node", field: "hash", expected: "hunter2", actual: "b" });
  const { outcome, status, attempts, said, failure } = await settle(wrong);
  assert.deepEqual([outcome, status, attempts], [failed, "scheduled", 1]);
  assert.match(said ?? "", /expected \[secret\], got b/);
  assert.deepEqual(failure, { class: "retry", endpoint: "node" });
});

test("the last attempt fails the job, and so does what trying again cannot help", async () => {
  const last = await settle(new Error("broken"), { more: { maxAttempts: 1 } });
  assert.deepEqual([last.status, last.failure?.class], ["failed", "retry"]);
  await queue.rows("truncate processing_jobs, processing_failures, processing_head");
  const fatal = await settle(new UnstorableBlockError("it does not fit"));
  assert.deepEqual([fatal.outcome, fatal.status, fatal.failure?.class], [failed, "failed", "fatal"]);
});

test("a block that contradicts its neighbour is recorded as such", async () => {
  const { failure } = await settle(new BrokenLinkError("it does not link to block 6"));
  assert.equal(failure?.class, "unlinked");
});

for (const error of [notThere, new BlockUnavailableError("those that may have it are away")]) {
  test(`a block that cannot be had yet waits, and no attempt counts (${error.name})`, async () => {
    const { outcome, status, attempts, failure } = await settle(error);
    assert.deepEqual([outcome, status, attempts, failure], [nothing, "scheduled", 0, undefined]);
  });
}

test("another block in its place, and receipts that are wrong, are waited for only while the block is not final", async () => {
  const replaced = new BlockNotFoundError("another is in its place", { block: 7, replaced: true });
  for (const error of [replaced, wrongReceipts]) {
    await queue.rows("truncate processing_jobs, processing_failures, processing_head");
    assert.deepEqual((await settle(error, { head: 70 })).outcome, nothing);
    await queue.rows("truncate processing_jobs, processing_failures, processing_head");
    assert.deepEqual((await settle(error, { head: 71 })).outcome, failed);
  }
});

test("a job whose claim was handed on meanwhile is left as it is, and counts as lost", async () => {
  const taken = {
    query: async (...asked: Parameters<typeof queue.pool.query>) => {
      await queue.rows("update processing_jobs set worker_id = 'b/w1', claims = claims + 1");
      return queue.pool.query(...asked);
    },
  } as unknown as FailureOptions["pool"];
  const { outcome, status, failure } = await settle(new Error("broken"), { more: { pool: taken } });
  assert.deepEqual([outcome, status, failure], [{ ...nothing, lost: 1 }, "processing", undefined]);
});

test("outcomes add up", () => {
  const sum = { completed: 1, failed: 2, lost: 3 };
  addOutcome(sum, { completed: 10, failed: 20, lost: 30 });
  assert.deepEqual(sum, { completed: 11, failed: 22, lost: 33 });
});
