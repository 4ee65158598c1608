// What a claim costs in a table of 1 million pending and 10 million completed jobs, against one that
// holds nothing but the jobs that are claimed. The completed ones are left in processing_jobs, as with an
// archive that was switched off: what the archive takes away can cost a claim even less.

import { createPool } from "../../src/db/pool.js";
import { claimJobs } from "../../src/queue/claim.js";
import type { BenchDatabase } from "../harness/server.js";
import { quantile } from "../harness/statistics.js";
import { figures, interleave, type Suite } from "../harness/suite.js";
import { poolOptions } from "../programs/pool-options.js";

const perClaim = 20;

export const claimDepth: Suite = {
  names: ["claim-depth"],
  async run(bench) {
    const [pending, completed] = bench.quick ? [20_000, 200_000] : [1_000_000, 10_000_000];
    const claims = bench.quick ? 100 : 500;
    const small = await bench.server.database();
    const deep = await bench.server.database();
    try {
      await fill(small, { pending: claims * perClaim * bench.repetitions, completed: 0 });
      bench.say(`filling a table with ${pending} pending and ${completed} completed jobs`);
      await fill(deep, { pending, completed });
      const measured = await interleave(bench, {
        deep: () => claimLatency(deep, claims),
        empty: () => claimLatency(small, claims),
      });
      return figures(measured, {
        benchmark: "claim-depth",
        of: "deep",
        unit: `ms per claim of ${perClaim}`,
        note: `deep: ${pending.toLocaleString("en-US")} pending and ${completed.toLocaleString("en-US")} completed jobs; medians of ${claims} claims from the start`,
        against: [{ name: "empty", target: { atMost: 1.25 } }],
      });
    } finally {
      await small.drop();
      await deep.drop();
    }
  },
};

async function fill(
  database: BenchDatabase,
  { pending, completed }: { pending: number; completed: number },
): Promise<void> {
  const step = 1_000_000;
  for (let from = 1; from <= completed; from += step) {
    await database.pool.query(
      `insert into processing_jobs (block_number, status, worker_id, attempts, started_at, completed_at, result)
       select n, 'completed', 'host.1.a/w1', 1, now(), now(), '{}' from generate_series($1::int, $2::int) as n`,
      [from, Math.min(completed, from + step - 1)],
    );
  }
  await database.pool.query(
    "insert into processing_jobs (block_number) select generate_series($1::int, $2::int)",
    [completed + 1, completed + pending],
  );
  await database.settle();
}

/** The median, in milliseconds. Every claim begins from the start, which is the dearer kind. */
async function claimLatency({ url }: BenchDatabase, claims: number): Promise<number> {
  const pool = createPool({ ...poolOptions(url), min: 1, max: 1 });
  try {
    await pool.query("select 1");
    const latencies: number[] = [];
    for (let i = 0; i < claims; i += 1) {
      const started = performance.now();
      const jobs = await claimJobs(pool, { workerId: "bench/w1", limit: perClaim, durable: false });
      latencies.push(performance.now() - started);
      if (jobs.length !== perClaim) throw new Error(`a claim got ${jobs.length} jobs of ${perClaim}`);
    }
    return quantile(latencies, 0.5);
  } finally {
    await pool.end();
  }
}
