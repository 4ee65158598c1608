import { setTimeout as sleep } from "node:timers/promises";
import type { ChildContext } from "../child/run-child.js";
import { dispositionOf } from "../errors.js";
import type { Patience } from "./patience.js";
import type { Wake } from "./wake.js";
import type { Work } from "./work.js";

export interface WorkerOptions {
  work: Work;
  wake: Wake;
  patience: Patience;
  context: ChildContext<"worker">;
}

/**
 * A worker's loop: claims while there is work, sleeps without a query while there is none, and prepares
 * the next batch while the last one commits. Returns when it has drained: every claim that it made is settled or given back.
 */
export async function runWorker({ work, wake, patience, context }: WorkerOptions): Promise<void> {
  const { rank = 0 } = context.settings;
  const { draining, stopping, lease } = context;
  let committing: Promise<void> = Promise.resolve();
  let waits = 0;
  /** Since it was last given a job. */
  let vainLooks = 0;

  while (!draining.aborted) {
    await lease.wait();
    if (draining.aborted) break;
    const { seen } = wake;
    try {
      const batch = await work.claim();
      if (batch === undefined) {
        await committing;
        work.report("idle");
        await wake.after(seen, draining);
        await giveWay(giveWayMs(rank, vainLooks), draining);
        vainLooks += 1;
        continue;
      }
      vainLooks = 0;
      if (batch.mustBeAlone) await committing;
      const { waitFor } = await work.prepare(batch);
      await committing;
      committing = work.commit(batch);
      // Its failure is met at the next await; until then it must not count as unhandled.
      committing.catch(() => {});
      if (batch.mustBeAlone) await committing;
      if (waitFor === undefined) waits = 0;
      // What else had begun met the same, and is settled first.
      else if (!work.hasBegun) throw waitFor;
    } catch (error) {
      if (stopping.aborted) break;
      if (dispositionOf(error) === "fatal-process") {
        // What it holds is no less good for that.
        await Promise.race([committing.catch(() => {}), aborted(stopping)]);
        await work.giveBackRest();
        throw error;
      }
      work.reportWaiting(error);
      await patience.wait(waits);
      waits += 1;
    }
  }
  work.report("draining");
  await Promise.race([committing, aborted(stopping)]);
  await work.giveBackRest();
}

/** How much later each worker of a host looks than the one before it, and the last ones at most. */
const apart = { leastMs: 2, mostMs: 16, mostRanks: 4 };

/**
 * A notification wakes everybody. The first of a host looks at once; the others give it the time to take
 * a single job, instead of the processor that it needs for that: the more, the more often that one has been
 * quicker. It may be preparing what it is about to claim (ReadAhead).
 */
export function giveWayMs(rank: number, vainLooks: number): number {
  const { leastMs, mostMs, mostRanks } = apart;
  return Math.min(rank, mostRanks) * Math.min(mostMs, leastMs * 2 ** Math.min(vainLooks, 10));
}

async function giveWay(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {});
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
