// blockmill's bulk enqueue, a call after the other.

import { createPool } from "../../src/db/pool.js";
import { enqueueBlocks } from "../../src/queue/enqueue.js";
import { monotonicMs } from "../harness/program.js";
import { poolOptions } from "./pool-options.js";
import { runProgram } from "./run-program.js";

interface Settings {
  databaseUrl: string;
  calls: number;
  perCall: number;
  /** As people do it: the INSERT alone. */
  plain: boolean;
}

const insert = "insert into processing_jobs (block_number) select unnest($1::bigint[])";

runProgram<Settings>(async ({ settings, ready }) => {
  const { databaseUrl, calls, perCall, plain } = settings;
  const pool = createPool({ ...poolOptions(databaseUrl), min: 1, max: 1 });
  await pool.query("select 1");
  await ready();
  const startedAt = monotonicMs();
  for (let call = 0; call < calls; call += 1) {
    const blocks = Array.from({ length: perCall }, (_, i) => call * perCall + i);
    if (plain) await pool.query(insert, [blocks]);
    else await enqueueBlocks(pool, blocks);
  }
  const endedAt = monotonicMs();
  await pool.end();
  return { startedAt, endedAt };
});
