import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { describeError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Counts } from "../metrics/counts.js";
import { giveBackUnknown } from "../queue/give-back.js";
import { noteMark } from "../queue/marks.js";
import type { Blame, ReleasedJob } from "../queue/release.js";
import { unregisterWorker } from "../queue/workers.js";
import type { Redact } from "../redact.js";
import { an } from "../wording.js";
import type { Child, ChildExit } from "./child.js";
import { reclaim } from "./reclaim.js";

export interface BuryOptions {
  pool: pg.Pool;
  log: Logger;
  redact: Redact;
  /** Where deaths are counted. */
  counts: Counts;
  /** So many workers may die with a job; then it is failed. */
  maxDeaths(): number;
  /** Abort when nobody is to wait for what a child left: the sweep releases it. */
  draining: AbortSignal;
  stopping: AbortSignal;
}

/** How often it is tried to give back what a worker left, while the database is away. */
const giveBackAgainMs = 2_000;

/** How a child ended, and whether it was to end. */
export interface End {
  exit: ChildExit;
  asked: boolean;
}

/** Whether it died: nobody asked it to end, or it did not end in order. */
export function isDeath(child: Child, { exit: { code, signal }, asked }: End): boolean {
  // A terminal's Ctrl-C reaches the children too, and ends one that still loads. It holds nothing.
  const isEndedEarly = !child.hasLoaded && (signal === "SIGINT" || signal === "SIGTERM");
  return !asked || (code !== 0 && !isEndedEarly);
}

/** Clears up after a child that ended: takes its claims from it, and its row. */
export async function bury(options: BuryOptions, child: Child, end: End): Promise<void> {
  if (isDeath(child, end)) {
    await buryDead(options, child, end);
    const how = end.exit.signal ?? `exit code ${end.exit.code}`;
    // Only the page's charts miss it where the database is away.
    await noteMark(options.pool, "death", `${child.workerId} died (${how})`).catch(() => {});
  }
  if (!isDeath(child, end) && child.role === "worker") await giveBackLeft(options, child.workerId);
  await unregisterWorker(options.pool, child.workerId).catch(() => {});
}

async function buryDead(
  { pool, log, redact, counts, maxDeaths, stopping }: BuryOptions,
  child: Child,
  end: End,
): Promise<void> {
  const { code, signal } = end.exit;
  const how = signal === null ? `exit code ${code}` : signal;
  log.error(
    { worker: child.workerId, role: child.role, childPid: child.pid, code, signal },
    `${an(child.role)} died (${how})`,
  );
  counts.add("blockmill_worker_deaths_total", [child.role, signal ?? `exit code ${code}`]);
  if (child.role !== "worker") return;
  const started = performance.now();
  let released: ReleasedJob[];
  try {
    released = await reclaim(pool, {
      workerId: child.workerId,
      maxDeaths: maxDeaths(),
      blamed: blamedFor(end),
      reason: `the worker died (${how}) while it computed this block`,
      signal: stopping,
    });
  } catch (error) {
    // A right that was revoked, say. The supervisor lives on; the sweep releases them when its lease has fallen.
    const reason = redact(describeError(error));
    log.error({ worker: child.workerId, reason }, "its claims cannot be released");
    return;
  }
  const ms = Math.round(performance.now() - started);
  if (released.length > 0)
    log.warn({ worker: child.workerId, jobs: released.length, ms }, "released its claims");
}

/** Signals of a process that broke by itself: an assertion, memory that ran out in V8, a defect in native code. */
const brokenBy: readonly (NodeJS.Signals | null)[] = [
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGSEGV",
  "SIGTRAP",
];

/**
 * Which blocks a death counts for: the one that was computed. Where none was, a worker that broke by itself, and nobody
 * knows at what, did so at one of those that it held. One that was killed from outside may have been so for one of them (the
 * kernel's killer of what takes too much memory sends the same signal as a person), so they are suspected.
 */
export function blamedFor({ exit, asked }: End): Blame {
  if (typeof exit.computing === "number") return [exit.computing];
  if (exit.computing === "unknown") return "all";
  if (asked || exit.fatal !== undefined) return "none";
  const broke = exit.signal === null || brokenBy.includes(exit.signal);
  return broke ? "all" : "suspects";
}

/** Gives back, unharmed, what a worker that ended in order could not give back itself, as the database was away. */
async function giveBackLeft({ pool, log, draining }: BuryOptions, workerId: string): Promise<void> {
  do {
    try {
      const jobs = await giveBackUnknown(pool, workerId, []);
      if (jobs > 0) log.info({ worker: workerId, jobs }, "gave back what it had left");
      return;
    } catch (error) {
      log.warn({ worker: workerId, err: error }, "its claims cannot be given back yet");
    }
    await sleep(giveBackAgainMs, undefined, { signal: draining }).catch(() => {});
    // Nobody is to wait for it at the end: the sweep releases what it left.
  } while (!draining.aborted);
}
