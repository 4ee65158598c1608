// pg-boss: drains no-op jobs, or reports when a handler starts.

import { setTimeout as sleep } from "node:timers/promises";
import { PgBoss } from "pg-boss";
import { monotonicMs, runPeer } from "./run-peer.mjs";

const queue = "noop";

/** tuned: large batches, fetched one after the other while they come full. */
const tuning = {
  default: {},
  tuned: { batchSize: 1_000, burstWhenBatchFull: true, localConcurrency: 2 },
};

runPeer(async ({ settings, ready, progress, finish }) => {
  const { databaseUrl, mode, tuned, jobs, times } = settings;
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
  if (mode === "wake") return wakeUps({ boss, ready, times });
  let done = 0;
  const handler = async (batch) => {
    done += batch.length;
    progress(done, monotonicMs());
  };
  await ready();
  const startedAt = monotonicMs();
  await boss.work(queue, tuning[tuned ? "tuned" : "default"], handler);
  await new Promise((resolve) => finish.addEventListener("abort", resolve));
  await boss.stop({ graceful: true, timeout: 10_000 });
  return { done, startedAt, endedAt: monotonicMs() };
});

/** Milliseconds from the sending of a job to its handler's start, each while the worker sleeps. */
async function wakeUps({ boss, ready, times }) {
  await boss.createQueue(queue, { notify: true });
  let handle;
  await boss.work(queue, async () => handle(monotonicMs()));
  await ready();
  const latencies = [];
  for (let i = 0; i < times; i += 1) {
    const handled = new Promise((resolve) => {
      handle = resolve;
    });
    const sentAt = monotonicMs();
    await boss.send(queue, { block: i });
    latencies.push((await handled) - sentAt);
    await sleep(30 + Math.random() * 40);
  }
  await boss.stop({ graceful: false });
  return latencies;
}
