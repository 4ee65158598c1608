// pg-boss: drains no-op jobs, or reports when a handler starts.

import { PgBoss } from "pg-boss";
import { monotonicMs, runPeer } from "./run-peer.mjs";

const queue = "noop";

/** tuned: large batches, fetched one after the other while they come full. */
const tuning = {
  default: {},
  tuned: { batchSize: 500, burstWhenBatchFull: true, localConcurrency: 2 },
  // Its documentation's word for low latency.
  notify: { notifyPollingIntervalSeconds: 30 },
};

runPeer(async ({ settings, ready, progress, finish }) => {
  const { databaseUrl, mode, tuned, jobs } = settings;
  const notify = mode === "wake";
  const boss = new PgBoss({ connectionString: databaseUrl, useListenNotify: notify, schedule: false });
  boss.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  boss.on("warning", (warning) => console.error(warning));
  await boss.start();
  if (mode === "migrate") {
    await boss.createQueue(queue);
    for (let from = 0; from < jobs; from += 10_000) {
      const count = Math.min(10_000, jobs - from);
      await boss.insert(
        queue,
        Array.from({ length: count }, (_, i) => ({ data: { block: from + i } })),
      );
    }
    await boss.stop({ graceful: false });
    return undefined;
  }
  if (notify) await boss.createQueue(queue, { notify: true });
  let done = 0;
  const handler = async (batch) => {
    done += batch.length;
    progress(done, monotonicMs());
  };
  if (mode === "wake") {
    await boss.work(queue, tuning.notify, handler);
    await ready();
    await wakeUps({ boss, settings, finish });
    return undefined;
  }
  await ready();
  const startedAt = monotonicMs();
  await boss.work(queue, tuning[tuned ? "tuned" : "default"], handler);
  await new Promise((resolve) => finish.addEventListener("abort", resolve));
  await boss.stop({ graceful: true, timeout: 10_000 });
  return { done, startedAt, endedAt: monotonicMs() };
});

async function wakeUps({ boss, finish }) {
  await new Promise((resolve) => finish.addEventListener("abort", resolve));
  await boss.stop({ graceful: false });
}
