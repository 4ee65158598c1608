// What people ask for while they watch reads a bounded number of rows, whatever the queue holds.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type pg from "pg";
import { loadConfig } from "../../src/config/load.js";
import type { Sql } from "../../src/db/pool.js";
import { createPool } from "../../src/db/pool.js";
import { countJobsInGaps, findGaps, storedSpan } from "../../src/queue/gaps.js";
import {
  mostCompleted,
  mostCounted,
  mostOfMinute,
  mostRanges,
  readDepth,
} from "../../src/queue/read-depth.js";
import { createReadFigures } from "../../src/status/read-figures.js";
import { readHeadline } from "../../src/status/read-headline.js";
import { readStatus } from "../../src/status/read-status.js";
import { blockEnds } from "../../src/store/stored-numbers.js";
import { createDatabase, type TestDatabase } from "../support/database.js";

const many = 4 * mostCompleted;
let database: TestDatabase;
let pool: pg.Pool;

before(async () => {
  database = await createDatabase();
  pool = createPool({
    url: database.url,
    schema: "public",
    applicationName: "blockmill-test status",
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 120_000,
    min: 0,
    max: 1,
  });
  // The kinds lie one behind the other, so that whoever reads the table in any order of its own meets many that he does
  // not look for. A covered job is one that is forced.
  await pool.query(`
    alter table processing_jobs set (autovacuum_enabled = false);
    insert into processing_jobs (block_number, status, completed_at, run_at, absences)
      select kind.place * ${many} + n, kind.status,
        case kind.status when 'completed' then now() - interval '1 hour' + n * interval '40 milliseconds' end,
        case kind.status when 'scheduled' then now() + interval '1 hour' else now() end,
        case kind.status when 'scheduled' then 1 else 0 end
      from unnest(array['pending', 'failed', 'cancelled', 'scheduled', 'completed']) with ordinality as kind (status, place),
        generate_series(0, ${many - 1}) as n;
    insert into processing_ranges (from_block, to_block, next_block)
      select 1000000 + n, 1000000 + n, 1000000 + n from generate_series(1, ${2 * mostRanges}) as n;
    insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
      values (1, 2000001, 2000000, sha256(''), now());
    update processing_coverage set blocks = (
      select range_agg(int8range(2 * n, 2 * n + 1)) from generate_series(0, 20000) as n);
    insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version)
      select 's' || n, 's' || n, 'supervisor', 'host', 1, '0' from generate_series(1, 600) as n`);
});

after(async () => {
  await pool.end();
  await database.drop();
});

interface Plan {
  "Node Type": string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  "Relation Name"?: string;
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
  Plans?: Plan[];
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

/** What a look reads: for each of its statements the rows that its scans of tables met, and the pages. */
async function costOf(look: (sql: pg.Pool) => Promise<unknown>) {
  const costs: { rows: number; pages: number; statement: string }[] = [];
  const recorder = {
    async query(query: string | pg.QueryConfig, values?: unknown[]) {
      const { text, values: own } = typeof query === "string" ? { text: query, values } : query;
      const { rows } = await pool.query(
        `explain (analyze, buffers, timing off, format json) ${text}`,
        own ?? [],
      );
      const plan = (rows[0]["QUERY PLAN"] as { Plan: Plan }[])[0]?.Plan;
      assert(plan !== undefined);
      const met = nodesOf(plan)
        .filter((node) => node["Relation Name"] !== undefined)
        .map(
          (node) =>
            (node["Actual Rows"] +
              (node["Rows Removed by Filter"] ?? 0) +
              (node["Rows Removed by Index Recheck"] ?? 0)) *
            node["Actual Loops"],
        );
      costs.push({
        rows: met.reduce((sum, each) => sum + each, 0),
        pages: plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
        statement: text,
      });
      return pool.query(text, own ?? []);
    },
  };
  await look(recorder as unknown as pg.Pool);
  return costs;
}

const config = loadConfig({ file: undefined, env: {}, flags: [] }).config;
const span = { from: 0, to: 2_000_000 };
const looks: Record<string, (sql: pg.Pool) => Promise<unknown>> = {
  status: (sql) => readStatus(sql, { config, redact: (text) => text }),
  "the figures of metrics": (sql) => createReadFigures(sql)(),
  "the status line of a daemon": (sql: Sql) => readHeadline(sql),
  "the ends of what is stored, for gaps": async (sql) => [await storedSpan(sql), await blockEnds(sql)],
  "the jobs of gaps": (sql) => countJobsInGaps(sql, span),
  "the jobs of few blocks": (sql) => countJobsInGaps(sql, { from: 5, to: 500 }),
};

for (const [name, look] of Object.entries(looks)) {
  for (const analyzed of [false, true]) {
    test(`${name}: each statement reads a bounded number of rows, ${analyzed ? "with" : "without"} statistics`, async () => {
      if (analyzed) await pool.query("analyze");
      // All lists of a statement at their bounds, and one more of completions. A row is found through an index, whose
      // pages count as well.
      const most = 3 * mostCounted + 2 * mostCompleted + mostCounted;
      for (const { rows, pages, statement } of await costOf(look)) {
        assert(rows <= most, `${rows} rows: ${statement}`);
        assert(pages <= 2 * most, `${pages} pages: ${statement}`);
      }
    });
  }
}

test("gaps reads what is completed and covered, and no job that is not", async () => {
  const [cost] = await costOf((sql) => findGaps(sql, { ...span, limit: 10_000 }));
  assert(cost !== undefined && cost.rows <= many + 10, `${cost?.rows} rows for ${many} completed ones`);
});

test("what is counted to a bound says so, and the rest is exact", async () => {
  const { jobs, stored, behind, waiting, lastMinute } = await readDepth(pool);
  for (const status of ["scheduled", "failed"] as const)
    assert.deepEqual(jobs[status], { count: mostCounted, atLeast: true });
  assert.deepEqual(jobs.completed, { count: mostCompleted, atLeast: true });
  assert.deepEqual(jobs.pending, { count: mostCounted, atLeast: true });
  assert.deepEqual(stored, { count: 20_001 + mostCompleted, atLeast: true });
  // Pending, scheduled and failed ones, and the ranges.
  assert.deepEqual(behind, { count: 3 * mostCounted + mostRanges, atLeast: true });
  assert.deepEqual(waiting, { count: mostCounted, atLeast: true, firstBlock: 4 * many });
  assert.deepEqual(lastMinute, { count: 0, atLeast: false, oldestSeconds: null });
});

test("status and gaps tell people and programs which numbers are bounded", async () => {
  const now = await readStatus(pool, { config, redact: (text) => text });
  assert.deepEqual(now.ranges.total, { count: mostRanges, atLeast: true });
  assert.deepEqual([now.workers.length, now.moreWorkers], [500, true]);
  assert.equal(now.lagIsAtLeast, true);
  assert.equal(now.waiting.isAtLeast, true);
  const { failed, pending } = await countJobsInGaps(pool, span);
  assert.deepEqual(failed, { count: mostCounted, atLeast: true });
  assert.deepEqual(pending?.atLeast, true);
});

test("of completions that are too many to count, the newest tell the rate", async (t) => {
  const other = await createDatabase();
  t.after(() => other.drop());
  await other.pool.query(`insert into processing_jobs (block_number, status, completed_at)
    select n, 'completed', now() - n * interval '1 millisecond' from generate_series(1, 50000) as n`);
  const started = performance.now();
  const { blocksPerSecond } = await readStatus(other.pool, { config, redact: (text) => text });
  const lateMs = performance.now() - started + 60_000;
  assert(
    blocksPerSecond <= 1_000 && blocksPerSecond >= (mostOfMinute * 1_000) / (mostOfMinute + lateMs),
    `${blocksPerSecond}`,
  );
});
