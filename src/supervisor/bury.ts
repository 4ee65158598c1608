import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { describeError } from "../errors.js";
import type { Logger } from "../logger.js";
import { giveBackUnknown } from "../queue/give-back.js";
import { unregisterWorker } from "../queue/workers.js";
import type { Redact } from "../redact.js";
import type { Child, ChildExit } from "./child.js";
import { reclaim } from "./reclaim.js";

export interface BuryOptions {
  pool: pg.Pool;
  log: Logger;
  redact: Redact;
  /** So many workers may die with a job; then it is failed. */
  maxDeaths(): number;
  /** Abort when nobody is to wait for what a child left: the sweep releases it. */
  draining: AbortSignal;
  stopping: AbortSignal;
}

/** How often it is tried to give back what a worker left, while the database is away. */
const giveBackAgainMs = 500;

/** Clears up after a child that ended: takes its claims from it, and its row. `expected`: it ended in order. */
export async function bury(
  options: BuryOptions,
  child: Child,
  { exit, expected }: { exit: ChildExit; expected: boolean },
): Promise<void> {
  if (!expected) await buryDead(options, child, exit);
  else if (child.role === "worker") await giveBackLeft(options, child.workerId);
  await unregisterWorker(options.pool, child.workerId).catch(() => {});
}

async function buryDead(
  { pool, log, maxDeaths, stopping }: BuryOptions,
  child: Child,
  { code, signal }: ChildExit,
): Promise<void> {
  const how = signal === null ? `exit code ${code}` : signal;
  log.error(
    { worker: child.workerId, role: child.role, childPid: child.pid, code, signal },
    `a ${child.role} died (${how})`,
  );
  if (child.role !== "worker") return;
  const started = performance.now();
  const released = await reclaim(pool, {
    workerId: child.workerId,
    maxDeaths: maxDeaths(),
    reason: `the worker died (${how}) while it held this block`,
    signal: stopping,
  });
  const ms = Math.round(performance.now() - started);
  if (released.length > 0)
    log.warn({ worker: child.workerId, jobs: released.length, ms }, "released its claims");
}

/** Gives back, unharmed, what a worker that ended in order could not give back itself, as the database was away. */
async function giveBackLeft({ pool, log, redact, draining }: BuryOptions, workerId: string): Promise<void> {
  do {
    try {
      const jobs = await giveBackUnknown(pool, workerId, []);
      if (jobs > 0) log.info({ worker: workerId, jobs }, "gave back what it had left");
      return;
    } catch (error) {
      log.warn(
        { worker: workerId, reason: redact(describeError(error)) },
        "its claims cannot be given back yet",
      );
    }
    await sleep(giveBackAgainMs, undefined, { signal: draining }).catch(() => {});
    // Nobody is to wait for it at the end: it stays registered then, and the sweep releases what it left.
  } while (!draining.aborted);
}
