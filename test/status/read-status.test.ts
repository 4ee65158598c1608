// What the state of a schema is put together from. How it is shown is in test/cli/status*.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readStatus } from "../../src/status/read-status.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { configOf } from "../orchestrator/scene.js";
import { useQueue } from "../queue/queue-database.js";
import { rowsOf } from "../support/stored-block.js";
import { writeBlocks } from "../support/write-blocks.js";

const queue = useQueue();

const status = (wanted: Record<string, unknown> = {}) =>
  readStatus(queue.pool, {
    config: configOf(wanted),
    redact: (text) => text.replaceAll("hunter2", "[secret]"),
  });

const register = (worker: string, role: string, state: string, doing: object = {}) =>
  queue.rows(
    `insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version, state, doing)
     values ($1, split_part($1, '/', 1), $2, 'host', 1, '0', $3, $4)`,
    [worker, role, state, JSON.stringify(doing)],
  );

test("an empty schema has no head, no lag, no leader and nothing else", async () => {
  const { schema, head, lagBlocks, newestBlock, leader, workers, ranges, failures, blocksPerSecond } =
    await status();
  assert.deepEqual(
    { schema, head, lagBlocks, newestBlock, leader, workers, ranges, failures, blocksPerSecond },
    {
      schema: "public",
      head: null,
      lagBlocks: null,
      newestBlock: null,
      leader: null,
      workers: [],
      ranges: { total: { count: 0, atLeast: false }, ranges: [] },
      failures: [],
      blocksPerSecond: 0,
    },
  );
});

test("the leader is the orchestrator that leads and lives", async () => {
  await register("a/o1", "orchestrator", "leading");
  await register("b/o1", "orchestrator", "following");
  await register("b/w1", "worker", "leading");
  assert.equal((await status()).leader, null, "nobody's supervisor holds its lock");
  const holder = await queue.pool.connect();
  try {
    await holder.query("select pg_advisory_lock(hashtextextended('b', 0))");
    assert.equal((await status()).leader, null);
    await holder.query("select pg_advisory_lock(hashtextextended('a', 0))");
    assert.equal((await status()).leader, "a/o1");
  } finally {
    await holder.query("select pg_advisory_unlock_all()");
    holder.release();
  }
});

test("no secret gets out, wherever it stands", async () => {
  const endpoint = { name: "node", state: "resting", reason: "refused hunter2" };
  await register("a/w1", "worker", "waiting", { reason: "with hunter2", endpoints: [endpoint] });
  await queue.rows("insert into alerts (kind, message) values ('lock_wait', 'hunter2 waits')");
  await queue.rows(
    "insert into processing_failures (job_id, block_number, attempt, class, message) values (1, 1, 1, 'retry', 'hunter2')",
  );
  const holder = await queue.pool.connect();
  try {
    // The session of a supervisor that lives: only then its endpoints are told.
    await holder.query("select pg_advisory_lock(hashtextextended('a', 0))");
    const seen = await status();
    assert.equal(seen.endpoints[0]?.reason, "refused [secret]");
    assert.equal(seen.workers[0]?.doing.reason, "with [secret]");
    assert.equal(seen.alerts[0]?.message, "[secret] waits");
    assert.equal(seen.failures[0]?.message, "[secret]");
    assert.doesNotMatch(JSON.stringify(seen), /hunter2/);
  } finally {
    await holder.query("select pg_advisory_unlock_all()");
    holder.release();
    await queue.rows("truncate alerts");
  }
});

test("the rate is over the last minute; where jobs are archived earlier, over the time that is still known", async () => {
  await queue.insert([1, 2, 3, 4, 5, 6], "completed");
  await queue.rows("update processing_jobs set completed_at = clock_timestamp() - interval '10 s'");
  assert.equal((await status()).blocksPerSecond, 6 / 60);
  for (const early of [{ "queue.completed_kept": 6 }, { "queue.archive_minutes": 0.5 }]) {
    const { blocksPerSecond } = await status(early);
    // The oldest completion is ten seconds old, or a little more by now.
    assert(blocksPerSecond > 6 / 60 && blocksPerSecond <= 0.6, `${blocksPerSecond}`);
  }
});

test("the lag in seconds is the age of the newest block below which nothing is missing, and grows by itself", async () => {
  await queue.rows("truncate processing_jobs, processing_ranges");
  assert.equal((await status()).lagSeconds, null, "no head was seen");
  await queue.rows(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values (1, 13, 12, sha256(''), clock_timestamp() - interval '20 s')`,
  );
  try {
    assert.equal((await status()).lagSeconds, null, "nothing is stored");
    const client = await queue.pool.connect();
    const encoder = createEncoder();
    const blocks = [9, 10, 11, 12].map((number) => encoder.encode(rowsOf({ number })));
    await writeBlocks(client, blocks).finally(() => client.release());
    await queue.rows("update blocks set timestamp = clock_timestamp() - (14 - number) * interval '10 s'");
    const within = async (from: number) => {
      const { lagSeconds } = await status();
      assert(
        lagSeconds !== null && lagSeconds >= from && lagSeconds < from + 10,
        `${lagSeconds}, not ${from}`,
      );
    };
    await within(20);
    await queue.insert([11], "failed");
    await within(40);
  } finally {
    await queue.rows("truncate processing_head, processing_jobs");
    await queue.rows("delete from blocks");
  }
});
