// A range of 20 million blocks: how long it takes to ask for it, and how large the queue's table is while
// jobs that do nothing are drained from it, with the orchestrator's own duties beside. What is told is
// what ran: the drain ends with the time, not with the range.

import { setTimeout as sleep } from "node:timers/promises";
import { createPool } from "../../src/db/pool.js";
import { openRange } from "../../src/queue/ranges.js";
import { forkProgram, programFile } from "../harness/program.js";
import type { BenchDatabase } from "../harness/server.js";
import { type Figure, figures, interleave, type Suite } from "../harness/suite.js";
import { poolOptions } from "../programs/pool-options.js";

const last = 20_000_000;

export const range20m: Suite = {
  names: ["range-20m"],
  async run(bench): Promise<Figure[]> {
    const seconds = bench.quick ? 8 : 60;
    const drained: number[] = [];
    const accepted: number[] = [];
    const measured = await interleave(bench, {
      "largest queue table, indexes included": async () => {
        const database = await bench.server.database();
        try {
          const run = await drainRange(database, seconds);
          accepted.push(run.acceptedMs);
          drained.push(run.done / seconds);
          return run.largestMb;
        } finally {
          await database.drop();
        }
      },
      "accepted in": async () => accepted.at(-1) ?? Number.NaN,
      "drained meanwhile": async () => drained.at(-1) ?? Number.NaN,
    });
    const benchmark = "range-20m";
    const note = `drained by no-op jobs for ${seconds} s, not to its end`;
    return [
      ...figures(measured, { benchmark, of: "accepted in", unit: "ms", target: { below: 100 } }),
      ...figures(measured, {
        benchmark,
        of: "largest queue table, indexes included",
        unit: "MB",
        note,
        target: { atMost: 20 },
      }),
      ...figures(measured, { benchmark, of: "drained meanwhile", unit: "jobs/s", note }),
    ];
  },
};

async function drainRange(
  database: BenchDatabase,
  seconds: number,
): Promise<{ acceptedMs: number; largestMb: number; done: number }> {
  const pool = createPool({ ...poolOptions(database.url), min: 1, max: 1 });
  const settings = { databaseUrl: database.url };
  const duties = forkProgram<void>({ file: programFile("duties"), settings });
  const drainer = forkProgram<{ done: number }>({
    file: programFile("drain"),
    settings: { ...settings, workerId: "bench/w1", batchSize: 500, stay: true },
  });
  try {
    await Promise.all([duties.ready, drainer.ready, pool.query("select 1")]);
    const started = performance.now();
    await openRange(pool, { from: 0, to: last });
    const acceptedMs = performance.now() - started;
    duties.go();
    drainer.go();
    let largest = 0;
    while (performance.now() - started < seconds * 1_000) {
      const { rows } = await pool.query<{ bytes: number }>(
        "select pg_total_relation_size('processing_jobs') as bytes",
      );
      largest = Math.max(largest, rows[0]?.bytes ?? 0);
      await sleep(200);
    }
    const { done } = await drainer.finish();
    await duties.finish();
    return { acceptedMs, largestMb: largest / 1e6, done };
  } finally {
    await Promise.all([drainer.kill(), duties.kill(), pool.end()]);
  }
}
