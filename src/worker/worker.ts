import { setTimeout as sleep } from "node:timers/promises";
import type { ChildContext } from "../child/run-child.js";
import { describeError, dispositionOf } from "../errors.js";
import {
  claimBatch,
  commitBatch,
  type Pipeline,
  type PreparedBatch,
  prepareBatch,
} from "../pipeline/pipeline.js";
import { giveBack, giveBackUnknown } from "../queue/give-back.js";
import type { ClaimedJob, Token } from "../queue/job.js";
import { nextBatchSize } from "./batch-size.js";
import type { Wake } from "./wake.js";

export interface WorkerOptions {
  pipeline: Pipeline;
  maxBatch: number;
  wake: Wake;
  context: ChildContext;
}

/** The longest wait between two looks at whether what was down is up again. */
const maxWaitMs = 1_000;

/**
 * A worker's loop: claims while there is work, sleeps without a query while there is none, and prepares
 * the next batch while the last one commits. Returns when it has drained: every claim that it made is
 * settled or given back.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { context, wake } = options;
  const { draining, stopping, lease } = context;
  const work = createWork(options);
  let committing: Promise<void> = Promise.resolve();
  let waits = 0;

  while (!draining.aborted) {
    await lease.wait();
    if (draining.aborted) break;
    const { seen } = wake;
    try {
      const jobs = await work.claim();
      if (jobs.length === 0) {
        await committing;
        work.report("idle");
        await wake.after(seen, draining);
        continue;
      }
      // A job that has seen a death must not take others with it: nothing else is in hand while it runs.
      const alone = jobs.some(({ deaths }) => deaths > 0);
      if (alone) await committing;
      const batch = await work.prepare(jobs);
      await committing;
      committing = work.commit(batch);
      // Its failure is met at the next await; until then it must not count as unhandled.
      committing.catch(() => {});
      if (alone) await committing;
      if (batch.waitFor !== undefined) throw batch.waitFor;
      waits = 0;
    } catch (error) {
      if (stopping.aborted) break;
      if (dispositionOf(error) === "fatal-process") throw error;
      work.reportWaiting(error);
      await pause(waits, stopping);
      waits += 1;
    }
  }
  work.report("draining");
  await Promise.race([committing, aborted(stopping)]);
  await work.giveBackRest();
}

/** What a worker holds, and the steps of its loop, each of which leaves that account true. */
function createWork({ pipeline, maxBatch, context }: WorkerOptions) {
  const { log, redact, stopping } = context;
  const { pool, workerId } = pipeline;
  const inHand = new Map<number, ClaimedJob>();
  const counts = { completed: 0, failed: 0, lost: 0 };
  let batchSize = 1;
  // A claim may have been made although its answer never came.
  let claimsUnknown = false;

  const tokens = (): Token[] => [...inHand.values()].map(({ token }) => token);
  const report = (state: "idle" | "working" | "waiting" | "draining", reason?: string): void => {
    const blocks = [...inHand.values()].map(({ blockNumber }) => blockNumber).slice(0, 20);
    context.report(state, { ...counts, blocks, ...(reason === undefined ? {} : { reason }) });
  };
  const reportWaiting = (error: unknown): void => {
    const reason = redact(describeError(error, 300));
    log.warn({ reason }, "waiting: nothing is claimed until this is over");
    report("waiting", reason);
  };

  return {
    report,
    reportWaiting,

    async claim(): Promise<ClaimedJob[]> {
      if (claimsUnknown) {
        const found = await giveBackUnknown(pool, workerId, tokens());
        if (found > 0) log.warn({ jobs: found }, "gave back claims whose answer was lost");
      }
      claimsUnknown = true;
      const jobs = await claimBatch(pipeline, batchSize);
      claimsUnknown = false;
      for (const job of jobs) inHand.set(job.token.id, job);
      return jobs;
    },

    async prepare(jobs: ClaimedJob[]): Promise<PreparedBatch> {
      report("working");
      const started = performance.now();
      const batch = await prepareBatch(pipeline, jobs, stopping);
      const tookMs = performance.now() - started;
      batchSize = nextBatchSize({ current: batchSize, claimed: jobs.length, tookMs, max: maxBatch });
      return batch;
    },

    /** Commits until the database takes it, or somebody else has the claims: the rows are worth keeping. */
    async commit(batch: PreparedBatch): Promise<void> {
      for (let attempt = 0; !stopping.aborted; attempt += 1) {
        try {
          const { completed, failed, lost } = await commitBatch(pipeline, batch);
          counts.completed += completed;
          counts.failed += failed;
          counts.lost += lost;
          if (lost > 0)
            log.warn({ jobs: lost }, "claims were handed on meanwhile; nothing was written for them");
          for (const { job } of [...batch.prepared, ...batch.failed]) inHand.delete(job.token.id);
          for (const { token } of batch.unharmed) inHand.delete(token.id);
          return;
        } catch (error) {
          if (dispositionOf(error) === "fatal-process") throw error;
          reportWaiting(error);
          await pause(attempt, stopping);
        }
      }
    },

    async giveBackRest(): Promise<void> {
      try {
        await giveBack(pool, workerId, tokens());
        if (claimsUnknown) await giveBackUnknown(pool, workerId, []);
      } catch (error) {
        // They are released when this process is gone: by its supervisor, or by a sweep.
        log.warn({ err: error, jobs: inHand.size }, "claims could not be given back");
      }
    },
  };
}

async function pause(times: number, signal: AbortSignal): Promise<void> {
  const ms = Math.random() * Math.min(maxWaitMs, 50 * 2 ** Math.min(times, 10));
  await sleep(ms, undefined, { signal }).catch(() => {});
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
