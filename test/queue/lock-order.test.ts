// Who waits for several jobs takes them in the order of their blocks, however they lie in the table: two who do never
// wait for each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createPool, inTransaction } from "../../src/db/pool.js";
import { cancelJobs, forgetHalted, retryJobs } from "../../src/queue/by-hand.js";
import { claimJobs } from "../../src/queue/claim.js";
import { enqueueBlocks, enqueueSeries } from "../../src/queue/enqueue.js";
import { forgetCompleted } from "../../src/queue/forget-completed.js";
import { giveBack, giveBackUnknown } from "../../src/queue/give-back.js";
import { advanceHead } from "../../src/queue/head.js";
import type { ClaimedJob } from "../../src/queue/job.js";
import { unpinBelow } from "../../src/queue/known-hashes.js";
import { openRange, topUpRanges } from "../../src/queue/ranges.js";
import { requeueAbove } from "../../src/queue/requeue-above.js";
import { completeJobs } from "../support/complete-jobs.js";
import { waitFor } from "../support/process.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

/**
 * Without an index, rows are met as they lie in the table: only what a statement says itself puts them in order. For
 * connections that are opened from now on.
 */
async function withoutIndexes(): Promise<void> {
  for (const way of ["indexscan", "indexonlyscan", "bitmapscan"])
    await queue.rows(
      `do $$ begin execute format('alter database %I set enable_${way} = off', current_database()); end $$`,
    );
}

const blocks = [10, 20, 30];
const hashOf = (number: number) => `0x${String(number).padStart(64, "0")}` as const;
const headers = [...blocks, 31].map((number) => ({ number, hash: hashOf(number), timestamp: 1_700_000_000 }));

/** A head at block 31, whose blocks from `nextBlock` on are enqueued; the others are only told their hash. */
const advance =
  (nextBlock: number, more: { headNumber?: number } = {}) =>
  async () => {
    await queue.rows(
      `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values (1, $1, $2, decode(repeat('00', 32), 'hex'), now())`,
      [nextBlock, more.headNumber ?? 30],
    );
    return () =>
      advanceHead(queue.pool, {
        chainId: 1,
        headers,
        fresh: headers,
        safeBlock: null,
        finalizedBlock: null,
        startBlock: null,
        priorityBlocks: 3,
        autoEnqueue: true,
      });
  };

const claimed = async (use: (jobs: ClaimedJob[]) => () => Promise<unknown>) =>
  use(await claimJobs(queue.pool, { workerId: "a/w1", limit: 10 }));

/** The commit of a worker's claims; the pool's own settings are to keep it in order. */
function commitIn({ poolUrl = false }: { poolUrl?: boolean }): Case["prepare"] {
  return () =>
    claimed((jobs) => async () => {
      const pool = createPool({
        url: queue.url,
        ...(poolUrl ? { poolUrl: queue.url } : {}),
        schema: "public",
        applicationName: "blockmill-test worker",
        connectTimeoutMs: 10_000,
        statementTimeoutMs: 30_000,
        min: 0,
        max: 1,
        keepsPlans: true,
      });
      try {
        const completions = jobs.map(({ token }) => ({ token, result: {} })).reverse();
        return await inTransaction(pool, async (tx) => {
          await tx.query("set local enable_indexscan = on");
          return await completeJobs(tx, "a/w1", completions);
        });
      } finally {
        await pool.end();
      }
    });
}

interface Case {
  status: string;
  /** What comes before the race; returns the statement that races. */
  prepare(): Promise<() => Promise<unknown>>;
}

const always =
  (run: () => Promise<unknown>): Case["prepare"] =>
  async () =>
    run;

const cases: Record<string, Case> = {
  "a retry": {
    status: "failed",
    prepare: always(() => retryJobs(queue.pool, { from: 0, to: 99 })),
  },
  "jobs that are forgotten": {
    status: "failed",
    prepare: always(() => forgetHalted(queue.pool, { from: 0, to: 99 })),
  },
  "a cancel": {
    status: "pending",
    prepare: always(() => cancelJobs(queue.pool, { from: 0, to: 99 })),
  },
  "a forced enqueue of a list": {
    status: "pending",
    prepare: always(() => enqueueBlocks(queue.pool, [30, 10, 20], { force: true })),
  },
  "a forced enqueue of a series": {
    status: "pending",
    prepare: always(() => enqueueSeries(queue.pool, { from: 10, to: 30, force: true })),
  },
  "the top-up of a forced range": {
    status: "completed",
    async prepare() {
      await openRange(queue.pool, { from: 10, to: 30, force: true });
      return () => topUpRanges(queue.pool, 100);
    },
  },
  "a head that tells jobs their hash": { status: "pending", prepare: advance(31) },
  "a head that tells some jobs their hash and enqueues others again": {
    status: "pending",
    prepare: advance(20),
  },
  "a head that jobs waited for": {
    status: "scheduled",
    async prepare() {
      await queue.rows("update processing_jobs set absences = 1 where block_number > 10");
      return advance(31, { headNumber: 10 })();
    },
  },
  "a reorg": {
    status: "pending",
    prepare: always(() =>
      inTransaction(queue.pool, (tx) =>
        requeueAbove(tx, { forkBlock: 9, branch: headers, oldHead: 30, stored: [] }),
      ),
    ),
  },
  "a removal": {
    status: "completed",
    prepare: always(() => inTransaction(queue.pool, (tx) => forgetCompleted(tx, { from: 0, to: 99 }))),
  },
  "jobs that forget the hash that they wanted": {
    status: "pending",
    async prepare() {
      await queue.rows("update processing_jobs set block_hash = decode(repeat('00', 32), 'hex')");
      return () => unpinBelow(queue.pool, { below: 99, claimsFrom: 0 });
    },
  },
  "claims that are given back": {
    status: "pending",
    prepare: () =>
      claimed((jobs) => () => giveBack(queue.pool, "a/w1", jobs.map(({ token }) => token).reverse())),
  },
  "claims that nobody knows of": {
    status: "pending",
    prepare: () => claimed(() => () => giveBackUnknown(queue.pool, "a/w1", [])),
  },
  "a commit, in a pool as workers have it": { status: "pending", prepare: commitIn({}) },
  "a commit, in a pool as workers have it behind a pooler": {
    status: "pending",
    prepare: commitIn({ poolUrl: true }),
  },
};

const waitsForLock = () =>
  waitFor(
    async () =>
      (
        await queue.rows(
          `select from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid() and wait_event_type = 'Lock'`,
        )
      ).length > 0,
    { what: "a statement to wait for a lock" },
  );

for (const [name, { status, prepare }] of Object.entries(cases)) {
  test(`${name}: who holds the lowest job, and goes on to the others, finds them free`, async () => {
    await withoutIndexes();
    await queue.insert(blocks.toReversed(), status);
    const run = await prepare();
    // The connection that is idle by now may be older than that.
    const other = await queue.pool.connect();
    try {
      await other.query("begin");
      await other.query("select from processing_jobs where block_number = 10 for update");
      const raced = run();
      // It is looked at below.
      raced.catch(() => {});
      await waitsForLock();
      const others = await other.query(
        "select from processing_jobs where block_number > 10 for update nowait",
      );
      assert.equal(others.rowCount, 2);
      await other.query("commit");
      await raced;
    } finally {
      await other.query("rollback");
      other.release(true);
    }
  });
}

test("a reorg does not wait for the job at its fork, which is below those that it holds", async () => {
  await queue.insert([10, 9], "failed");
  await inTransaction(queue.pool, async (tx) => {
    await tx.query("select from processing_jobs where block_number = 9 for update");
    await inTransaction(queue.pool, (reorg) =>
      requeueAbove(reorg, { forkBlock: 9, branch: [], oldHead: 10, stored: [] }),
    );
  });
  assert.deepEqual(await queue.statuses(), { 9: "failed", 10: "scheduled" });
});

test("a cancel takes ranges in the order of their ids, however they lie in the table", async () => {
  await withoutIndexes();
  const ids: number[] = [];
  for (const from of [10, 20, 30]) ids.push(await openRange(queue.pool, { from, to: from + 5 }));
  // A new version of the first one lies behind the others.
  await queue.rows("update processing_ranges set priority = 1 where id = $1", [ids[0]]);
  const other = await queue.pool.connect();
  try {
    await other.query("begin");
    await other.query("select from processing_ranges where id = $1 for update", [ids[0]]);
    const cancelled = cancelJobs(queue.pool, { from: 0, to: 99 });
    cancelled.catch(() => {});
    await waitsForLock();
    const others = await other.query("select from processing_ranges where id > $1 for update nowait", [
      ids[0],
    ]);
    assert.equal(others.rowCount, 2);
    await other.query("commit");
    assert.deepEqual(await cancelled, { jobs: 0, ranges: 3 });
  } finally {
    await other.query("rollback");
    other.release(true);
  }
});

test("a cancel waits for what a range is just enqueuing, and cancels it as well", async () => {
  await queue.insert([12, 11, 10], "completed");
  const id = await openRange(queue.pool, { from: 10, to: 20, force: true });
  const topUp = await queue.pool.connect();
  try {
    await topUp.query("begin");
    await topUp.query("select from processing_ranges for update");
    const cancelled = cancelJobs(queue.pool, { from: 0, to: 99 });
    cancelled.catch(() => {});
    await waitsForLock();
    await topUp.query(
      "update processing_jobs set status = 'pending', completed_at = null where block_number <= 12",
    );
    await topUp.query("update processing_ranges set next_block = 13 where id = $1", [id]);
    await topUp.query("commit");
    assert.deepEqual(await cancelled, { jobs: 3, ranges: 1 });
  } finally {
    await topUp.query("rollback");
    topUp.release();
  }
});
