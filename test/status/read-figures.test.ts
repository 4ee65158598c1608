import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { readDatabaseFigures, readTableBytes } from "../../src/db/database-figures.js";
import { readProgress } from "../../src/queue/read-progress.js";
import { createReadFigures } from "../../src/status/read-figures.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { readNewestUpTo } from "../../src/store/read-newest-up-to.js";
import { createDatabase } from "../support/database.js";
import { rowsOf } from "../support/stored-block.js";
import { writeBlocks } from "../support/write-blocks.js";

async function scene() {
  const { pool, drop } = await createDatabase();
  const lowest = async (statements: string): Promise<number | null> => {
    await pool.query("truncate processing_jobs, processing_ranges");
    await pool.query(statements);
    const { lowestMissing } = await readProgress(pool);
    return lowestMissing === null ? null : Number(lowestMissing);
  };
  return { pool, drop, lowest };
}

test("the lowest block that was asked for and is not stored, wherever it stands", async (t) => {
  const { pool, drop, lowest } = await scene();
  t.after(drop);
  assert.equal(await lowest("select 1"), null);
  await pool.query(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time, finalized_block)
     values (1, 1001, 1000, decode(repeat('ab', 32), 'hex'), to_timestamp(5000), 900)`,
  );
  const jobs = "insert into processing_jobs (block_number, status, priority, run_at)";
  // The claim index stands by priority first.
  assert.equal(
    await lowest(
      `${jobs} values (50, 'pending', 100, now()), (7, 'pending', 0, now()), (9, 'pending', -3, now())`,
    ),
    7,
  );
  assert.equal(
    await lowest(`${jobs} values (50, 'pending', 0, now()), (30, 'scheduled', 0, now() + interval '1 h')`),
    30,
  );
  assert.equal(
    await lowest(
      `${jobs} values (50, 'pending', 0, now()), (20, 'failed', 0, now()), (3, 'cancelled', 0, now())`,
    ),
    20,
  );
  assert.equal(await lowest(`${jobs} values (2, 'completed', 0, now())`), null);
  assert.equal(
    await lowest(
      "insert into processing_ranges (from_block, to_block, next_block) values (100, 500, 400), (600, 700, 600)",
    ),
    400,
  );
  // Above the head nothing is missing yet.
  assert.equal(await lowest(`${jobs} values (1001, 'pending', 0, now())`), null);
  await pool.query("update processing_head set next_block = 990");
  assert.equal(await lowest("select 1"), 990);
});

test("rows that hold infinity make no figure fail", async (t) => {
  const { pool, drop } = await scene();
  t.after(drop);
  await pool.query(
    `insert into processing_jobs (block_number, created_at, run_at) values
       (1, 'infinity', '-infinity'), (2, '-infinity', '-infinity'), (3, now() - interval '9 s', '-infinity'),
       (4, '4713-01-01 BC', now()), (5, '294276-01-01', now())`,
  );
  const { oldestPendingSeconds, head } = await readProgress(pool);
  assert(oldestPendingSeconds >= 9 && oldestPendingSeconds < 600, `${oldestPendingSeconds}`);
  assert.equal(head, null);
});

test("the figures of a new schema: nothing is stored, each table has its bytes, and they are looked at once a minute", async (t) => {
  const { pool, drop } = await scene();
  t.after(drop);
  let now = 0;
  const read = createReadFigures(pool, () => now);
  const first = await read();
  assert.deepEqual([first.stored, first.contiguous, first.finalized, first.head], [null, null, null, null]);
  assert(first.tables.some(({ table, bytes }) => table === "processing_jobs" && bytes > 0));
  assert(first.tables.every(({ table }) => !table.startsWith("processing_history_")));
  assert.equal(first.notificationQueueUsage, 0);
  assert(first.oldestTransactionSeconds >= 0);
  await pool.query("create table later (a int)");
  const has = async () => (await read()).tables.some(({ table }) => table === "later");
  now = 59_999;
  assert.equal(await has(), false);
  now = 60_000;
  assert.equal(await has(), true);
});

test("the newest stored block up to a number, with its own time", async (t) => {
  const { pool, drop } = await scene();
  t.after(drop);
  assert.equal(await readNewestUpTo(pool, null), null);
  const client = await pool.connect();
  const encoder = createEncoder();
  await writeBlocks(
    client,
    [4, 5, 8].map((number) => encoder.encode(rowsOf({ number }))),
  );
  client.release();
  const upTo = async (number: number | null) => Number((await readNewestUpTo(pool, number))?.number);
  assert.deepEqual([await upTo(null), await upTo(8), await upTo(7), await upTo(3)], [8, 8, 5, Number.NaN]);
});

test("partitions count for their table, and a session that idles in a transaction has an age", async (t) => {
  const { pool, url, drop } = await createDatabase({ partitionBlocks: 100 });
  t.after(drop);
  await pool.query("select create_chain_partition(0)");
  const tables = await readTableBytes(pool);
  assert.deepEqual(
    tables.filter(({ table }) => /^logs/.test(table)).map(({ table }) => table),
    ["logs"],
  );
  assert(Number(tables.find(({ table }) => table === "logs")?.bytes) > 0);
  const other = new pg.Client({ connectionString: url, application_name: "blockmill other" });
  await other.connect();
  await other.query("begin; select 1");
  const { connections, oldestTransactionSeconds } = await readDatabaseFigures(pool);
  assert.deepEqual(connections, [{ state: "idle in transaction", count: 1 }]);
  assert(oldestTransactionSeconds > 0);
  await other.end();
});
