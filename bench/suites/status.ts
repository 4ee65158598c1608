// What a look costs in a schema of 5 million pending and 5 million completed jobs, 10,000 open ranges and a coverage of
// 20,000 holes, against the same look at a schema that holds nothing. The completed jobs are left in processing_jobs for
// `status`, as with an archive that was switched off; `gaps` reads each that is completed and not archived, so it is
// measured with as many as the archive leaves.

import type pg from "pg";
import { loadConfig } from "../../src/config/load.js";
import { createPool } from "../../src/db/pool.js";
import { countJobsInGaps, findGaps, storedSpan } from "../../src/queue/gaps.js";
import { readHeadline } from "../../src/status/read-headline.js";
import { readStatus } from "../../src/status/read-status.js";
import { blockEnds } from "../../src/store/stored-numbers.js";
import type { BenchDatabase } from "../harness/server.js";
import { quantile } from "../harness/statistics.js";
import { figures, interleave, type Suite } from "../harness/suite.js";
import { poolOptions } from "../programs/pool-options.js";

const looksAtOnce = 9;

export const status: Suite = {
  names: ["status", "status-line", "gaps"],
  async run(bench, names) {
    const rows = bench.quick ? 200_000 : 5_000_000;
    const { config } = loadConfig({ file: undefined, env: {}, flags: [] });
    const looks: Record<string, (pool: pg.Pool) => Promise<unknown>> = {
      status: (pool) => readStatus(pool, { config, redact: (text) => text }),
      "status-line": (pool) => readHeadline(pool),
      async gaps(pool) {
        const span = { from: 0, to: 20 * rows };
        await storedSpan(pool);
        await blockEnds(pool);
        await findGaps(pool, { ...span, limit: 10_000 });
        await countJobsInGaps(pool, span);
      },
    };
    const empty = await bench.server.database();
    const deep = await bench.server.database();
    const archived = await bench.server.database();
    try {
      bench.say(`filling a table with ${rows} pending and ${rows} completed jobs`);
      await fill(deep, { pending: rows, completed: rows });
      await fill(archived, { pending: rows, completed: 10_000 });
      const all = [];
      for (const [name, look] of Object.entries(looks).filter(([name]) => names.has(name))) {
        const measured = await interleave(bench, {
          deep: () => medianOf(name === "gaps" ? archived : deep, look),
          empty: () => medianOf(empty, look),
        });
        const completed = name === "gaps" ? 10_000 : rows;
        all.push(
          ...figures(measured, {
            benchmark: name,
            of: "deep",
            unit: "ms",
            note: `deep: ${rows.toLocaleString("en-US")} pending and ${completed.toLocaleString("en-US")} completed jobs, 10,000 open ranges, 20,000 holes; medians of ${looksAtOnce} looks`,
            target: { below: 200 },
            against: [{ name: "empty" }],
          }),
        );
      }
      return all;
    } finally {
      await Promise.all([empty, deep, archived].map((database) => database.drop()));
    }
  },
};

async function fill(
  { pool, settle }: BenchDatabase,
  { pending, completed }: { pending: number; completed: number },
): Promise<void> {
  await pool.query(
    `insert into processing_jobs (block_number, status, completed_at, result)
     select 1000000 + n, 'completed', now() - n * interval '1 millisecond', '{}' from generate_series(1, $1::int) as n`,
    [completed],
  );
  await pool.query(
    "insert into processing_jobs (block_number) select 20000000 + n from generate_series(1, $1::int) as n",
    [pending],
  );
  await pool.query(`
    update processing_coverage set blocks = (
      select range_agg(int8range(3 * n, 3 * n + 2)) from generate_series(0, 20000) as n);
    insert into processing_ranges (from_block, to_block, next_block)
      select 40000000 + 10 * n, 40000005 + 10 * n, 40000000 + 10 * n from generate_series(1, 10000) as n;
    insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
      values (1, 50000001, 50000000, sha256(''), now())`);
  await settle();
}

/** The median, in milliseconds, on one connection. */
async function medianOf({ url }: BenchDatabase, look: (pool: pg.Pool) => Promise<unknown>): Promise<number> {
  const pool = createPool({ ...poolOptions(url), min: 1, max: 1 });
  try {
    await pool.query("select 1");
    const taken: number[] = [];
    for (let i = 0; i < looksAtOnce; i += 1) {
      const started = performance.now();
      await look(pool);
      taken.push(performance.now() - started);
    }
    return quantile(taken, 0.5);
  } finally {
    await pool.end();
  }
}
