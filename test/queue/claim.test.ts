import assert from "node:assert/strict";
import { test } from "node:test";
import { inTransaction } from "../../src/db/pool.js";
import { type ClaimOptions, claimJobs } from "../../src/queue/claim.js";
import type { ClaimedJob } from "../../src/queue/job.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

const blocksOf = (jobs: ClaimedJob[]) => jobs.map(({ blockNumber }) => blockNumber);

test("claims take the highest priority first, then the lowest block, a batch at a time", async () => {
  await queue.rows(
    `insert into processing_jobs (block_number, priority)
     values (5, 0), (3, 0), (9, 10), (8, 10), (1, -1), (7, 100)`,
  );
  const order: number[][] = [];
  for (;;) {
    const jobs = await claimJobs(queue.pool, { workerId: "a/w1", limit: 2 });
    if (jobs.length === 0) break;
    order.push(blocksOf(jobs));
  }
  assert.deepEqual(order, [
    [7, 8],
    [3, 9],
    [1, 5],
  ]);
});

test("a claim counts an attempt, names its worker and the time, and tells its token and the wanted hash", async () => {
  await queue.rows(
    "insert into processing_jobs (block_number, attempts, block_hash) values (7, 1, decode(repeat('ab', 32), 'hex'))",
  );
  const before = await queue.rows<{ now: Date }>("select clock_timestamp() as now");
  const [claimed] = await claimJobs(queue.pool, { workerId: "a/w1", limit: 5 });
  const job = await queue.job(7);
  const [at] = await queue.rows<{ microseconds: number }>(
    "select (extract(epoch from started_at) * 1e6)::bigint as microseconds from processing_jobs",
  );
  const { waitedMs, ...rest } = claimed ?? assert.fail("nothing was claimed");
  assert(waitedMs !== null && waitedMs >= 0 && waitedMs < 3_600_000, `${waitedMs}`);
  assert.deepEqual(rest, {
    token: { id: job.id, blockNumber: 7, workerId: "a/w1", claim: 1, claimedAt: at?.microseconds },
    attempts: 2,
    blockNumber: 7,
    priority: 0,
    blockHash: `0x${"ab".repeat(32)}`,
    deaths: 0,
  });
  assert.equal(job.status, "processing");
  assert.equal(job.worker_id, "a/w1");
  assert.equal(job.attempts, 2);
  assert(job.started_at !== null && before[0] !== undefined && job.started_at >= before[0].now);
});

const ways: [string, Partial<ClaimOptions>][] = [
  ["from the start", {}],
  ["behind a position", { after: { priority: 0, blockNumber: 2 } }],
  ["within a range", { only: { from: 3, to: 9 } }],
];
for (const [way, options] of ways) {
  test(`a claim waits for the disk, unless it is told that it need not: ${way}`, async () => {
    await queue.insert(numbers(1, 9));
    const settingAfter = (durable?: boolean) =>
      inTransaction(queue.pool, async (tx) => {
        const more = durable === undefined ? {} : { durable };
        const jobs = await claimJobs(tx, { workerId: "a/w1", limit: 1, ...options, ...more });
        assert.equal(jobs.length, 1);
        const { rows } = await tx.query<{ synchronous_commit: string }>("show synchronous_commit");
        return rows[0]?.synchronous_commit;
      });
    assert.equal(await settingAfter(), "on");
    assert.equal(await settingAfter(true), "on");
    assert.equal(await settingAfter(false), "off");
    // The session's own setting is as it was.
    assert.equal(await settingAfter(), "on");
  });
}

test("only pending jobs are claimed", async () => {
  await queue.insert([1], "pending");
  await queue.insert([2], "completed");
  await queue.insert([3], "failed");
  await queue.insert([4], "cancelled");
  await queue.insert([5], "processing");
  await queue.rows(
    "insert into processing_jobs (block_number, run_at) values (6, now() + interval '1 hour')",
  );
  assert.deepEqual(blocksOf(await claimJobs(queue.pool, { workerId: "a/w1", limit: 10 })), [1]);
});

test("two claims at once never share a job, and neither waits for the other", async () => {
  await queue.insert(numbers(1, 10));
  await inTransaction(queue.pool, async (first) => {
    const mine = await claimJobs(first, { workerId: "a/w1", limit: 4 });
    assert.deepEqual(blocksOf(mine), [1, 2, 3, 4]);
    // The first transaction is still open: its rows are locked, and look pending to everybody else.
    await inTransaction(queue.pool, async (second) => {
      await second.query("set local lock_timeout = '1ms'");
      const theirs = await claimJobs(second, { workerId: "b/w1", limit: 4 });
      assert.deepEqual(blocksOf(theirs), [5, 6, 7, 8]);
      const within = await claimJobs(second, { workerId: "b/w1", limit: 4, only: { from: 1, to: 9 } });
      assert.deepEqual(blocksOf(within), [9]);
    });
  });
});

test("of 500 jobs each is claimed exactly once by 8 workers that claim at once", async () => {
  await queue.insert(numbers(1, 500));
  const claimAll = async (workerId: string): Promise<number[]> => {
    const blocks: number[] = [];
    for (let size = 1; ; size = (size % 7) + 1) {
      const jobs = await claimJobs(queue.pool, { workerId, limit: size });
      if (jobs.length === 0) return blocks;
      blocks.push(...blocksOf(jobs));
    }
  };
  const claimed = await Promise.all(numbers(1, 8).map((n) => claimAll(`a/w${n}`)));
  assert.deepEqual(
    claimed.flat().sort((a, b) => a - b),
    numbers(1, 500),
  );
  const attempts = new Set((await queue.jobs()).map((job) => job.attempts));
  assert.deepEqual([...attempts], [1]);
});

test("a claim within a range takes nothing outside of it", async () => {
  await queue.insert(numbers(1, 20));
  await queue.rows("update processing_jobs set priority = 100 where block_number = 20");
  const jobs = await claimJobs(queue.pool, { workerId: "a/w1", limit: 50, only: { from: 5, to: 7 } });
  assert.deepEqual(blocksOf(jobs), [5, 6, 7]);
  assert.deepEqual(
    await claimJobs(queue.pool, { workerId: "a/w1", limit: 50, only: { from: 5, to: 7 } }),
    [],
  );
});

for (const only of [undefined, { from: 1, to: 6 }]) {
  test(`a job that saw a worker die is claimed alone${only === undefined ? "" : ", within a range too"}`, async () => {
    await queue.insert(numbers(1, 6));
    await queue.rows("update processing_jobs set deaths = 1 where block_number in (3, 4)");
    const claim = () => claimJobs(queue.pool, { workerId: "a/w1", limit: 3, only });
    assert.deepEqual(blocksOf(await claim()), [1, 2]);
    const third = await claim();
    assert.deepEqual(blocksOf(third), [3]);
    assert.equal(third[0]?.deaths, 1);
    assert.deepEqual(blocksOf(await claim()), [4]);
    assert.deepEqual(blocksOf(await claim()), [5, 6]);
  });
}

test("whatever times a job has, it is claimed, and says how long it had been due where that is finite", async () => {
  await queue.rows(
    `insert into processing_jobs (block_number, created_at, run_at) values
       (1, 'infinity', '-infinity'), (2, '-infinity', '-infinity'), (3, '4713-01-01 BC', '-infinity'),
       (4, '294276-01-01', now()), (5, now() - interval '1 h', now() - interval '1 h')`,
  );
  const jobs = await claimJobs(queue.pool, { workerId: "a/w1", limit: 10 });
  const [one, two, three, four, five] = jobs.map(({ waitedMs }) => waitedMs);
  assert.deepEqual([one, two, four], [null, null, 0]);
  assert((three ?? 0) > 6_000 * 31_000_000_000);
  assert((five ?? 0) >= 3_600_000 && (five ?? 0) < 7_200_000);
});
