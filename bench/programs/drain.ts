// blockmill's queue without the chain: the worker's own claims and completions in the worker's order
// (complete the last batch, claim the next one meanwhile on another connection, go on behind the last
// position), around jobs that do nothing. Ends when nothing is left, or when it is asked to.

import { type Statement, send } from "../../src/db/exchange.js";
import { createPool, inTransaction } from "../../src/db/pool.js";
import { claim } from "../../src/queue/claim.js";
import { ClaimCursor } from "../../src/queue/claim-cursor.js";
import { completion } from "../../src/queue/complete.js";
import type { ClaimedJob } from "../../src/queue/job.js";
import type { JobResult } from "../../src/queue/job-result.js";
import { monotonicMs } from "../harness/program.js";
import { poolOptions } from "./pool-options.js";
import { runProgram } from "./run-program.js";

/** The jobs do nothing, and say nothing. */
const nothing = {} as JobResult;

interface Settings {
  databaseUrl: string;
  workerId: string;
  batchSize: number;
  /** Wait for more when nothing is left. */
  stay: boolean;
}

runProgram<Settings>(async ({ settings, ready, progress, finish }) => {
  const { databaseUrl, workerId, batchSize, stay } = settings;
  const pool = createPool({ ...poolOptions(databaseUrl), min: 1, max: 2, keepsPlans: true });
  await pool.query("select 1");
  await ready();
  const claims = claimer(workerId, batchSize);
  let jobs: ClaimedJob[] = [];
  let done = 0;
  const startedAt = monotonicMs();
  while (!finish.aborted) {
    const batch = jobs;
    if (batch.length === 0) {
      jobs = await claims((statement) => send(pool, statement));
      if (jobs.length === 0 && !stay) break;
      if (jobs.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    const completed = completion(
      workerId,
      batch.map(({ token }) => ({ token, result: nothing })),
    );
    const next = claims((statement) => send(pool, statement));
    await inTransaction(pool, async (tx) => {
      const held = await send(tx, completed);
      if (held.size !== batch.length) throw new Error(`${batch.length - held.size} claims were lost`);
    });
    jobs = await next;
    done += batch.length;
    progress(done, monotonicMs());
  }
  const endedAt = monotonicMs();
  await pool.end();
  return { done, startedAt, endedAt };
});

/** Claims as a worker does: behind the last position, and from the start where that finds nothing. */
function claimer(workerId: string, limit: number) {
  const cursor = new ClaimCursor();
  return async function claims(
    run: (statement: Statement<ClaimedJob[]>) => Promise<ClaimedJob[]>,
  ): Promise<ClaimedJob[]> {
    const after = cursor.next(performance.now());
    const started = performance.now();
    const jobs = await run(claim({ workerId, limit, after, durable: false }));
    const now = performance.now();
    cursor.claimed({ after, jobs, limit, now, tookMs: now - started });
    return jobs.length === 0 && after !== undefined ? claims(run) : jobs;
  };
}
