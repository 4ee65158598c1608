import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { dispositionOf } from "../errors.js";
import { countClaims } from "../queue/count-claims.js";
import { type Blame, endSessions, type ReleasedJob, releaseWorker } from "../queue/release.js";

export interface ReclaimOptions {
  workerId: string;
  maxDeaths: number;
  /** What the death counts for; the others go back unharmed. */
  blamed?: Blame;
  reason: string;
  signal: AbortSignal;
}

/**
 * Takes the claims of a worker that is gone from it, at once and completely: ends the sessions it may
 * have left in the database, and releases until neither a session nor a claim is left. A row that its last
 * transaction had locked comes free a moment later; and a session that outlives it may be about to commit
 * a claim that nobody sees yet. Waits for a database that is away. When `signal` aborts, what is left goes
 * to the sweep that follows the fall of the host's lease.
 */
export async function reclaim(
  pool: pg.Pool,
  { workerId, signal, ...options }: ReclaimOptions,
): Promise<ReleasedJob[]> {
  const released: ReleasedJob[] = [];
  let waitMs = 10;
  while (!signal.aborted) {
    try {
      // Asked before the release: when none was left by then, whatever they committed can be seen.
      const sessions = await endSessions(pool, workerId);
      released.push(...(await releaseWorker(pool, workerId, options)));
      if (sessions === 0 && (await countClaims(pool, workerId)) === 0) return released;
    } catch (error) {
      if (dispositionOf(error) !== "wait") throw error;
      waitMs = Math.min(1_000, waitMs * 2);
    }
    await sleep(waitMs, undefined, { signal }).catch(() => {});
  }
  return released;
}
