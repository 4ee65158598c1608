// Bulk enqueue: jobs a second, 1,000 a call, one call after the other, with the trigger that wakes
// workers. graphile-worker's jobs carry a payload of one number, as blockmill's do.

import { type BenchProgram, forkProgram, programFile } from "../harness/program.js";
import type { BenchDatabase } from "../harness/server.js";
import { type Bench, figures, interleave, type Suite } from "../harness/suite.js";

const perCall = 1_000;

interface Timed {
  startedAt: number;
  endedAt: number;
}

export const enqueue: Suite = {
  names: ["enqueue"],
  async run(bench) {
    const calls = bench.quick ? 20 : 200;
    const file = programFile("enqueue");
    const blockmill =
      (plain: boolean) =>
      ({ url }: BenchDatabase): BenchProgram<Timed> =>
        forkProgram({ file, settings: { databaseUrl: url, calls, perCall, plain } });
    const measured = await interleave(bench, {
      "blockmill's enqueue": () =>
        measure(bench, { calls, start: blockmill(false), table: "processing_jobs", empty: false }),
      "insert into processing_jobs": () =>
        measure(bench, { calls, start: blockmill(true), table: "processing_jobs", empty: false }),
      "graphile-worker's addJobs": () =>
        measure(bench, {
          calls,
          start: ({ url }) =>
            bench.peers.fork<Timed>("graphile-worker.mjs", {
              settings: { databaseUrl: url, mode: "enqueue", calls, perCall },
            }),
          table: "graphile_worker._private_jobs",
          empty: true,
        }),
    });
    const against = [{ name: "graphile-worker's addJobs" as const, target: { atLeast: 2 } }];
    return (["blockmill's enqueue", "insert into processing_jobs"] as const).flatMap((of) =>
      figures(measured, { benchmark: "enqueue", of, unit: "jobs/s", against }),
    );
  },
};

async function measure(
  bench: Bench,
  {
    calls,
    start,
    table,
    empty,
  }: { calls: number; start(database: BenchDatabase): BenchProgram<Timed>; table: string; empty: boolean },
): Promise<number> {
  const database = await bench.server.database({ empty });
  const program = start(database);
  try {
    await program.ready;
    program.go();
    const { startedAt, endedAt } = await program.result;
    const { rows } = await database.pool.query<{ count: string }>(`select count(*) from ${table}`);
    const found = Number(rows[0]?.count);
    if (found !== calls * perCall) throw new Error(`${table} has ${found} jobs, expected ${calls * perCall}`);
    return (calls * perCall * 1_000) / (endedAt - startedAt);
  } finally {
    await program.kill();
    await database.drop();
  }
}
