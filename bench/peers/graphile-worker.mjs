// graphile-worker: drains no-op jobs, enqueues them in bulk, or reports when a handler starts.

import { setTimeout as sleep } from "node:timers/promises";
import { Logger, makeWorkerUtils, run, runMigrations } from "graphile-worker";
import pg from "pg";
import { monotonicMs, runPeer } from "./run-peer.mjs";

const quiet = new Logger(() => () => {});

/** tuned: as its documentation says for throughput. Neither is a default. */
const tuning = {
  default: {},
  tuned: {
    concurrentJobs: 24,
    localQueue: { size: 1_000, refetchDelay: { durationMs: 10 } },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
};

runPeer(async ({ settings, ready, progress, finish }) => {
  const { databaseUrl, mode, tuned, calls, perCall, times } = settings;
  if (mode === "migrate") return runMigrations({ connectionString: databaseUrl, logger: quiet });
  if (mode === "enqueue") return enqueue({ databaseUrl, ready, calls, perCall });

  if (mode === "wake") return wakeUps({ databaseUrl, ready, times });

  const pool = new pg.Pool({ connectionString: databaseUrl, max: tuned ? 12 : 10 });
  await pool.query("select 1");
  await ready();
  const startedAt = monotonicMs();
  let done = 0;
  let toldAt = 0;
  const taskList = {
    noop() {
      done += 1;
      const now = monotonicMs();
      if (now - toldAt > 25) {
        toldAt = now;
        progress(done, now);
      }
    },
  };
  const preset = { worker: { ...tuning[tuned ? "tuned" : "default"] } };
  const runner = await run({ pgPool: pool, logger: quiet, noHandleSignals: true, preset, taskList });
  const telling = setInterval(() => progress(done, monotonicMs()), 25);
  await new Promise((resolve) => finish.addEventListener("abort", resolve));
  clearInterval(telling);
  await runner.stop();
  await pool.end();
  return { done, startedAt, endedAt: monotonicMs() };
});

async function enqueue({ databaseUrl, ready, calls, perCall }) {
  const utils = await makeWorkerUtils({ connectionString: databaseUrl, logger: quiet });
  await ready();
  const startedAt = monotonicMs();
  for (let call = 0; call < calls; call += 1) {
    const from = call * perCall;
    await utils.addJobs(
      Array.from({ length: perCall }, (_, i) => ({ identifier: "noop", payload: { block: from + i } })),
    );
  }
  const endedAt = monotonicMs();
  await utils.release();
  return { startedAt, endedAt };
}

/** Milliseconds from the sending of a job to its handler's start, each while the worker sleeps. */
async function wakeUps({ databaseUrl, ready, times }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  let handle;
  const taskList = { noop: () => handle(monotonicMs()) };
  const runner = await run({ pgPool: pool, logger: quiet, noHandleSignals: true, taskList });
  await ready();
  const latencies = [];
  for (let i = 0; i < times; i += 1) {
    const handled = new Promise((resolve) => {
      handle = resolve;
    });
    const sentAt = monotonicMs();
    await pool.query("select graphile_worker.add_job('noop', $1)", [{ block: i }]);
    latencies.push((await handled) - sentAt);
    await sleep(30 + Math.random() * 40);
  }
  await runner.stop();
  await pool.end();
  return latencies;
}
