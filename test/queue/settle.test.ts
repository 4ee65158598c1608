import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inTransaction } from "../../src/db/pool.js";
import { claimJobs } from "../../src/queue/claim.js";
import { backoffMs, type Failure, failJob } from "../../src/queue/fail.js";
import { giveBack, giveBackUnknown } from "../../src/queue/give-back.js";
import type { ClaimedJob, Token } from "../../src/queue/job.js";
import { completeJobs } from "../support/complete-jobs.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();
const workerId = "host.1.a/w1";

async function claim(blocks: number[]): Promise<ClaimedJob[]> {
  await queue.insert(blocks);
  return claimJobs(queue.pool, { workerId, limit: blocks.length });
}

const complete = (jobs: ClaimedJob[], by = workerId) =>
  inTransaction(queue.pool, (tx) =>
    completeJobs(
      tx,
      by,
      jobs.map(({ token }) => ({ token, result: { logs: token.id } })),
    ),
  );

test("a claim that the same worker makes again is another claim, whatever was reset meanwhile", async () => {
  const [old] = await claim([7]);
  assert(old !== undefined);
  await giveBack(queue.pool, workerId, [old.token]);
  await queue.rows("update processing_jobs set attempts = 0 where block_number = 7");
  const [again] = await claimJobs(queue.pool, { workerId, limit: 1 });
  assert(again !== undefined);
  assert.equal(again.attempts, old.attempts);
  assert.equal((await complete([old])).size, 0);
  assert.equal((await complete([again])).size, 1);
});

/** What may become of a claimed job behind its worker's back. */
const handedOn: Record<string, string> = {
  "was claimed by another worker":
    "update processing_jobs set worker_id = 'host.2.b/w1', claims = claims + 1 where block_number = 7",
  "belongs to another worker at the same attempt":
    "update processing_jobs set worker_id = 'host.2.b/w1' where block_number = 7",
  "was claimed once more by the same worker":
    "update processing_jobs set claims = claims + 1 where block_number = 7",
  "was claimed by the same worker under the same number, after a crash that undid this claim":
    "update processing_jobs set started_at = started_at + interval '1 microsecond' where block_number = 7",
  "was made pending by a person": "update processing_jobs set status = 'pending' where block_number = 7",
  "was cancelled": "update processing_jobs set status = 'cancelled' where block_number = 7",
  "has failed": "update processing_jobs set status = 'failed' where block_number = 7",
  "was deleted": "delete from processing_jobs where block_number = 7",
  "was deleted and inserted again":
    "with gone as (delete from processing_jobs where block_number = 7) insert into processing_jobs (block_number) values (8)",
};

for (const [what, sql] of Object.entries(handedOn)) {
  test(`a job that ${what} is not settled by the old token`, async () => {
    const [job] = await claim([7]);
    assert(job !== undefined);
    await queue.rows(sql);
    const before = (await queue.jobs()).map(({ due_in_ms, ...row }) => row);

    assert.equal((await complete([job])).size, 0);
    assert.equal(await failJob(queue.pool, failure(job.token)), null);
    assert.equal(await failJob(queue.pool, failure(job.token, { fatal: true })), null);
    assert.equal(await giveBack(queue.pool, workerId, [job.token]), 0);

    assert.deepEqual(
      (await queue.jobs()).map(({ due_in_ms, ...row }) => row),
      before,
    );
    assert.deepEqual(await queue.rows("select from processing_failures"), []);
  });
}

test("of a batch that was lost in part, the rest is completed and named", async () => {
  const jobs = await claim(numbers(1, 5));
  await queue.rows(
    "update processing_jobs set worker_id = 'host.2.b/w1', claims = claims + 1 where block_number in (2, 4)",
  );
  const held = await complete(jobs);
  assert.deepEqual(
    jobs.filter(({ token }) => held.has(token.id)).map(({ blockNumber }) => blockNumber),
    [1, 3, 5],
  );
  assert.deepEqual(await queue.statuses(), {
    1: "completed",
    2: "processing",
    3: "completed",
    4: "processing",
    5: "completed",
  });
});

test("a completed job says when, keeps its account, and forgets its last error", async () => {
  const [job] = await claim([7]);
  assert(job !== undefined);
  await queue.rows("update processing_jobs set last_error = 'once'");
  await complete([job]);
  const row = await queue.job(7);
  assert.equal(row.status, "completed");
  assert.equal(row.last_error, null);
  assert.deepEqual(row.result, { logs: job.token.id });
  assert(row.completed_at !== null && row.started_at !== null && row.completed_at >= row.started_at);
});

test("each job of a batch gets its own account", async () => {
  const jobs = await claim(numbers(1, 20));
  await complete([...jobs].reverse());
  for (const row of await queue.jobs()) assert.deepEqual(row.result, { logs: row.id });
});

test("a job and its rows are completed together or not at all", async () => {
  const [job] = await claim([7]);
  assert(job !== undefined);
  const both = (fails: boolean) =>
    inTransaction(queue.pool, async (tx) => {
      await completeJobs(tx, workerId, [{ token: job.token, result: {} }]);
      await tx.query("insert into withdrawals values (7, 0, 0, '\\x', 0)");
      if (fails) throw new Error("the power went");
    });
  await assert.rejects(both(true), /the power went/);
  assert.equal((await queue.job(7)).status, "processing");
  assert.deepEqual(await queue.rows("select from withdrawals"), []);
  await both(false);
  assert.equal((await queue.job(7)).status, "completed");
  assert.deepEqual(await queue.rows("select block_number from withdrawals"), [{ block_number: 7 }]);
});

test("a completion that is about to commit cannot be overtaken by a release or a new claim", async () => {
  const [job] = await claim([7]);
  assert(job !== undefined);
  await inTransaction(queue.pool, async (tx) => {
    await completeJobs(tx, workerId, [{ token: job.token, result: {} }]);
    await inTransaction(queue.pool, async (other) => {
      await other.query("set local lock_timeout = '50ms'");
      await assert.rejects(other.query("update processing_jobs set status = 'pending'"), /lock timeout/);
      throw new Error("enough");
    }).catch(() => {});
    assert.deepEqual(await claimJobs(queue.pool, { workerId: "host.2.b/w1", limit: 5 }), []);
  });
  assert.equal((await queue.job(7)).status, "completed");
});

function failure(token: Token, more: Partial<Failure> = {}): Failure {
  return { token, message: "no such block", fatal: false, maxAttempts: 3, delayMs: 60_000, ...more };
}

test("a failed attempt is scheduled for later, and recorded", async () => {
  const [job] = await claim([7]);
  assert(job !== undefined);
  assert.equal(await failJob(queue.pool, failure(job.token, { endpoint: "node.example" })), "scheduled");
  const row = await queue.job(7);
  assert.equal(row.status, "scheduled");
  assert.equal(row.last_error, "no such block");
  assert.equal(row.attempts, 1);
  assert(row.due_in_ms > 50_000 && row.due_in_ms <= 60_000, String(row.due_in_ms));
  const columns = "job_id, block_number, attempt, class, message, worker_id, endpoint";
  assert.deepEqual(await queue.rows(`select ${columns} from processing_failures`), [
    {
      job_id: row.id,
      block_number: 7,
      attempt: 1,
      class: "retry",
      message: "no such block",
      worker_id: workerId,
      endpoint: "node.example",
    },
  ]);
});

test("a job whose attempts are used up is failed", async () => {
  const [job] = await claim([7]);
  assert(job !== undefined);
  assert.equal(await failJob(queue.pool, failure(job.token, { maxAttempts: 1 })), "failed");
  assert.equal((await queue.job(7)).status, "failed");
  assert.deepEqual(await queue.rows("select class, attempt from processing_failures"), [
    { class: "retry", attempt: 1 },
  ]);
});

test("a fatal failure needs no second attempt", async () => {
  const [job] = await claim([7]);
  assert(job !== undefined);
  assert.equal(await failJob(queue.pool, failure(job.token, { fatal: true })), "failed");
  assert.equal((await queue.job(7)).status, "failed");
  assert.deepEqual(await queue.rows("select class from processing_failures"), [{ class: "fatal" }]);
});

test("a failure without a delay is due at once", async () => {
  const [job] = await claim([7]);
  assert(job !== undefined);
  assert.equal(await failJob(queue.pool, failure(job.token, { delayMs: 0 })), "scheduled");
  assert((await queue.job(7)).due_in_ms <= 0);
});

test("the backoff lies between nothing and a bound that doubles up to its limit", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 10, max: 10_000 }),
      fc.integer({ min: 10, max: 1_000_000 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (attempts, baseMs, maxMs, random) => {
        const ms = backoffMs({ attempts, baseMs, maxMs, random });
        const bound = Math.min(maxMs, baseMs * 2 ** (attempts - 1));
        assert(Number.isSafeInteger(ms) && ms >= 0 && ms <= Math.ceil(bound));
        // Full jitter: the whole of it is in reach.
        assert.equal(backoffMs({ attempts, baseMs, maxMs, random: 0 }), 0);
        const nearly = backoffMs({ attempts, baseMs, maxMs, random: 0.999_999 });
        assert(nearly >= Math.floor(bound * 0.999));
      },
    ),
  );
});

test("a claim that is given back is pending, and the attempt does not count", async () => {
  const jobs = await claim([1, 2, 3]);
  const back = jobs.slice(0, 2).map(({ token }) => token);
  assert.equal(await giveBack(queue.pool, workerId, back), 2);
  const rows = await queue.jobs();
  assert.deepEqual(
    rows.map(({ status, attempts }) => ({ status, attempts })),
    [
      { status: "pending", attempts: 0 },
      { status: "pending", attempts: 0 },
      { status: "processing", attempts: 1 },
    ],
  );
  assert.deepEqual(await queue.rows("select from processing_failures"), []);
  assert.equal(await giveBack(queue.pool, workerId, []), 0);
});

test("claims that a worker does not know of are given back, and only its own", async () => {
  const [known, ...unknown] = await claim([1, 2, 3]);
  assert(known !== undefined && unknown.length === 2);
  await queue.insert([4]);
  await claimJobs(queue.pool, { workerId: "host.1.a/w11", limit: 1 });

  assert.equal(await giveBackUnknown(queue.pool, workerId, [known.token]), 2);
  assert.deepEqual(await queue.statuses(), { 1: "processing", 2: "pending", 3: "pending", 4: "processing" });
  assert.equal(await giveBackUnknown(queue.pool, workerId, []), 1);
  assert.deepEqual(await queue.statuses(), { 1: "pending", 2: "pending", 3: "pending", 4: "processing" });
  assert.deepEqual(
    (await queue.jobs()).map(({ attempts }) => attempts),
    [0, 0, 0, 1],
  );
});
