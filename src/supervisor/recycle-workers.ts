import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../logger.js";
import { plural } from "../wording.js";
import type { Child } from "./child.js";

/** Beyond which a worker is replaced. 0: never. */
export interface WearLimits {
  memoryMb: number;
  jobs: number;
}

export interface RecycleOptions {
  children: ReadonlySet<Child>;
  limits(): WearLimits;
  recycle(child: Child): Promise<void>;
  log: Logger;
  signal: AbortSignal;
}

const everyMs = 1_000;
/** A limit below what any worker needs replaces each of them once in a while, not all the time. */
const leastLifeMs = 60_000;

/** Replaces workers that have grown too large or done enough, one at a time, until `signal` aborts. Never rejects. */
export async function recycleWorkers({
  children,
  limits,
  recycle,
  log,
  signal,
}: RecycleOptions): Promise<void> {
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(() => {});
    for (const child of [...children]) {
      const reason = child.role === "worker" && !signal.aborted ? wearOf(child, limits()) : undefined;
      if (reason === undefined) continue;
      log.info({ worker: child.workerId, reason }, "replacing a worker");
      await recycle(child).catch((error: unknown) => {
        log.warn({ worker: child.workerId, err: error }, "a worker could not be replaced; it goes on");
      });
    }
  }
}

/** Why a worker is to be replaced; undefined: it is not. */
function wearOf(child: Child, { memoryMb, jobs }: WearLimits): string | undefined {
  const { completed = 0, memoryMb: used = 0 } = child.doing;
  if (jobs > 0 && completed >= jobs) return `it completed ${plural(completed, "block")}`;
  if (memoryMb === 0 || child.livedMs() < leastLifeMs) return undefined;
  return used > memoryMb ? `it uses ${used} MB` : undefined;
}
