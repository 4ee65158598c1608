import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import type pg from "pg";
import { findCompleted, findGaps, storedSpan } from "../../src/queue/gaps.js";
import { uncoverBlocks } from "../../src/queue/uncover.js";
import { blockmill } from "../cli/blockmill.js";
import { createDatabase, type TestDatabase } from "../support/database.js";

let database: TestDatabase;
let pool: pg.Pool;

before(async () => {
  database = await createDatabase();
  pool = database.pool;
});

after(() => database.drop());

async function reset({ covered = "{}", completed = [] }: { covered?: string; completed?: number[] } = {}) {
  await pool.query("truncate processing_jobs, processing_ranges, processing_head");
  await pool.query("update processing_coverage set blocks = $1", [covered]);
  await pool.query(
    `insert into processing_jobs (block_number, status, completed_at)
     select n, 'completed', now() from unnest($1::bigint[]) as n`,
    [completed],
  );
}

const gapsCommand = (...args: string[]) =>
  blockmill(["gaps", ...args], { BLOCKMILL_DATABASE_URL: database.url });

test("gaps and stored blocks are those of a model, whatever is covered and completed", async () => {
  const blocks = fc.uniqueArray(fc.integer({ min: 0, max: 40 }));
  await fc.assert(
    fc.asyncProperty(blocks, blocks, fc.nat(40), fc.nat(40), async (covered, completed, a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      await reset({ covered: `{${covered.map((n) => `[${n},${n + 1})`).join(",")}}`, completed });
      const stored = new Set([...covered, ...completed]);
      const asked = Array.from({ length: to - from + 1 }, (_, i) => from + i);
      const expand = (spans: { from: number; to: number }[]) =>
        spans.flatMap((span) => Array.from({ length: span.to - span.from + 1 }, (_, i) => span.from + i));
      assert.deepEqual(
        expand((await findGaps(pool, { from, to, limit: 100 })).gaps),
        asked.filter((n) => !stored.has(n)),
      );
      assert.deepEqual(
        expand(await findCompleted(pool, [{ from, to }])),
        asked.filter((n) => stored.has(n)),
      );
      const all = [...stored];
      const span = all.length === 0 ? null : { from: Math.min(...all), to: Math.max(...all) };
      assert.deepEqual(await storedSpan(pool), span);
    }),
    { numRuns: 60 },
  );
});

test("blocks that are uncovered are gaps again", async () => {
  await reset({ covered: "{[0,100)}" });
  await uncoverBlocks(pool, [
    { from: 3, to: 4 },
    { from: 50, to: 50 },
    { from: 200, to: 300 },
  ]);
  const two = [
    { from: 3, to: 4 },
    { from: 50, to: 50 },
  ];
  const all = { total: 2, blocks: 3 };
  assert.deepEqual(await findGaps(pool, { from: 0, to: 99, limit: 9 }), { gaps: two, ...all });
  assert.deepEqual(await findGaps(pool, { from: 0, to: 99, limit: 1 }), { gaps: two.slice(0, 1), ...all });
  assert.deepEqual(await findGaps(pool, { from: 0, to: 2, limit: 9 }), { gaps: [], total: 0, blocks: 0 });
});

test("gaps answers at 20 million blocks with a thousand holes, from the queue alone", async (t) => {
  await reset();
  await pool.query(
    `update processing_coverage set blocks = int8multirange(int8range(0, 20000000)) - (
       select range_agg(int8range(n * 20000 + 7, n * 20000 + 7 + n % 5 + 1)) from generate_series(0, 999) as n)`,
  );
  await pool.query(
    `insert into processing_jobs (block_number, status, completed_at)
     select n, 'completed', now() from generate_series(20000000, 20199999) as n where n % 1000 <> 0`,
  );
  await pool.query(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values (1, 20200000, 20199999, sha256(''), now())`,
  );
  const started = performance.now();
  const { gaps: found } = await findGaps(pool, { from: 0, to: 20_199_999, limit: 10_000 });
  t.diagnostic(
    `${Math.round(performance.now() - started)} ms, with 199,800 completed jobs beside the coverage`,
  );
  assert.equal(found.length, 1_200);
  assert.deepEqual(found[3], { from: 60_007, to: 60_010 });

  const commandStarted = performance.now();
  const { code, stdout, stderr } = await gapsCommand("--json");
  t.diagnostic(`${Math.round(performance.now() - commandStarted)} ms for the whole command`);
  assert.equal(code, 1, stderr);
  const answer = JSON.parse(stdout);
  assert.deepEqual([answer.from, answer.to, answer.missing, answer.count], [0, 20_199_999, 3_200, 1_200]);
  assert.deepEqual(answer.gaps, found);
  // No block is stored at all: whoever had looked at the rows would have said something else.
  const { rows } = await pool.query("select count(*)::int as count from blocks");
  assert.equal(rows[0].count, 0);
});

test("gaps says what is missing, what has a job, and where the rest is", async () => {
  await reset({ covered: "{[10,20),[22,30),[35,1000)}" });
  await pool.query(
    "insert into processing_jobs (block_number, status) values (21, 'failed'), (15, 'pending')",
  );
  const { code, stdout } = await gapsCommand("0", "999");
  assert.equal(code, 1);
  assert.match(stdout, /^ +0 +to 9 +10$/m);
  assert.match(stdout, /^ +20 +to 21 +2$/m);
  assert.match(stdout, /^3 gaps: 17 blocks of 0 to 999 are not stored\.$/m);
  assert.match(stdout, /^Jobs of these: 1 failed\.$/m);
});

test("gaps --enqueue makes jobs of small gaps and ranges of large ones, and ends with exit code 0", async () => {
  await reset({ covered: "{[10,20),[22,30),[5000,6000)}" });
  const { code, stdout } = await gapsCommand("5", "8000", "--enqueue");
  assert.equal(code, 0, stdout);
  const jobs = await pool.query("select block_number::int as n from processing_jobs order by 1");
  assert.deepEqual(
    jobs.rows.map(({ n }) => n),
    [5, 6, 7, 8, 9, 20, 21],
  );
  const ranges = await pool.query(
    "select from_block::int as from, to_block::int as to from processing_ranges order by 1",
  );
  assert.deepEqual(ranges.rows, [
    { from: 30, to: 4_999 },
    { from: 6_000, to: 8_000 },
  ]);
});

test("gaps --enqueue runs failed jobs again, leaves cancelled ones, and says so; one number is one block", async () => {
  await reset({ covered: "{[0,1000)}" });
  await pool.query("update processing_coverage set blocks = blocks - '{[3,6)}'");
  await pool.query(
    "insert into processing_jobs (block_number, status, attempts) values (3, 'failed', 3), (4, 'cancelled', 1)",
  );
  const one = await gapsCommand("4");
  assert.equal(one.code, 1);
  assert.match(one.stdout, /^1 gap: 1 block of 4 to 4 is not stored\.$/m);
  const { code, stdout } = await gapsCommand("0", "1,0", "--enqueue");
  assert.equal(code, 2, stdout);
  const all = await gapsCommand("0", "999", "--enqueue");
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stdout, /^Enqueued 1 job and 0 ranges\. 1 failed job will run again\.$/m);
  const jobs = await pool.query("select status from processing_jobs order by block_number");
  assert.deepEqual(
    jobs.rows.map(({ status }) => status),
    ["pending", "cancelled", "pending"],
  );
});

test("without gaps, and without anything stored, gaps ends with exit code 0", async () => {
  await reset();
  assert.deepEqual(await gapsCommand(), { code: 0, stdout: "Nothing is stored yet.\n", stderr: "" });
  await reset({ covered: "{[3,8)}" });
  const { code, stdout } = await gapsCommand();
  assert.equal(code, 0);
  assert.equal(stdout, "No gap: all blocks from 3 to 7 are stored.\n");
  const wider = await blockmill(["gaps", "--set", "chain.start_block=1"], {
    BLOCKMILL_DATABASE_URL: database.url,
  });
  assert.equal(wider.code, 1);
  assert.match(wider.stdout, /2 blocks of 1 to 7/);
});
