import type pg from "pg";
import { describeError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { ReleasedJob } from "../queue/release.js";
import { sweepLostSupervisors } from "../queue/sweep.js";
import type { Redact } from "../redact.js";
import { parseSupervisorId } from "./identity.js";

export interface PredecessorsOptions {
  pool: pg.Pool;
  supervisorId: string;
  /** So many workers may die with a job; then it is failed. */
  maxDeaths: number;
  log: Logger;
  redact: Redact;
}

/**
 * Releases what this host's earlier supervisors left when all of their processes were killed at once: where this is the only
 * host, nobody leads until its orchestrator has loaded, which comes after a worker and takes long on a busy machine. Whose
 * children have sessions yet is left to the leader, and so is whatever cannot be released now: this comes first, and no more.
 */
export async function releasePredecessors(options: PredecessorsOptions): Promise<ReleasedJob[]> {
  const { pool, supervisorId, maxDeaths, log, redact } = options;
  try {
    const { released } = await sweepLostSupervisors(pool, {
      maxDeaths,
      thorough: false,
      only: (each) => isPredecessor(each, supervisorId),
      seenLost: new Set(),
    });
    if (released.length > 0)
      log.warn({ jobs: released.length }, "released what an earlier supervisor of this host left");
    return released;
  } catch (error) {
    const reason = redact(describeError(error, 300));
    log.info({ reason }, "what an earlier supervisor of this host left is for the leader to release");
    return [];
  }
}

/** Whether it was a supervisor of this host, and its process is gone. */
export function isPredecessor(id: string, own: string, isRunning = isProcessRunning): boolean {
  const [mine, other] = [parseSupervisorId(own), parseSupervisorId(id)];
  if (id === own || mine === null || other?.host !== mine.host) return false;
  // In a container that was started again both have the same number.
  return other.pid === mine.pid || !isRunning(other.pid);
}

function isProcessRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
