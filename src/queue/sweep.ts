import type pg from "pg";
import { isHeld, tryLock } from "../db/advisory-locks.js";
import { inTransaction, type Sql } from "../db/pool.js";
import { plural } from "../wording.js";
import { jobsChannel } from "./job.js";
import { statuses } from "./job-status.js";
import {
  countSessions,
  endSessions,
  type ReleasedJob,
  type ReleaseOptions,
  releaseOverdue,
  releaseSupervisor,
} from "./release.js";
import { unregisterSupervisor } from "./workers.js";

/** A claim whose supervisor never registered (its first connection is still being made) is left alone so long. */
const grace = "interval '30 seconds'";

// Registered supervisors, and those that only claims know of: one statement a sweep while everybody lives. Whether a
// lock is free is decided by taking it.
const knownSupervisors = `
  select supervisor_id, ${isHeld("supervisor_id")} as held from (
    select supervisor_id from processing_workers
    union
    select split_part(worker_id, '/', 1) from processing_jobs
    where $1 and queued and status = ${statuses.processing} 
      and started_at not between clock_timestamp() - ${grace} and clock_timestamp() + ${grace}
  ) as known`;

export interface SweepOptions {
  maxDeaths: number;
  timeoutMs: number;
}

export interface SweepLostOptions {
  maxDeaths: number;
  /** Ask the claims themselves, too, who made them. */
  thorough: boolean;
  /** A supervisor that is known to live. */
  except?: string | undefined;
  /** Only those; all, unless stated. */
  only?(supervisorId: string): boolean;
  /**
   * Who seemed lost at the sweep before, kept from one sweep to the next. Children that outlive their supervisor give
   * their claims back within milliseconds: those that still have sessions are left alone at the first sight.
   */
  seenLost?: Set<string>;
}

export interface SweptLost {
  released: ReleasedJob[];
  /** Nobody but `except` is known: there is nobody to lose until another one comes. */
  alone: boolean;
}

/**
 * Releases the claims of every supervisor whose lease has fallen, but `except`, and `only` some. `thorough` also asks the
 * claims themselves who made them, which reads all queued jobs; without it only registered supervisors are
 * looked at, which costs nothing at any size of the queue.
 */
export async function sweepLostSupervisors(
  pool: pg.Pool,
  { maxDeaths, thorough, except, only = () => true, seenLost }: SweepLostOptions,
): Promise<SweptLost> {
  const { rows } = await pool.query<{ supervisor_id: string; held: boolean }>(knownSupervisors, [thorough]);
  const others = rows.filter(({ supervisor_id: supervisorId }) => supervisorId !== except);
  const released: ReleasedJob[] = [];
  const before = new Set(seenLost);
  seenLost?.clear();
  for (const { supervisor_id: supervisorId, held } of others) {
    if (held || !only(supervisorId)) continue;
    seenLost?.add(supervisorId);
    if (seenLost !== undefined && !before.has(supervisorId) && (await hasSessions(pool, supervisorId)))
      continue;
    released.push(...(await releaseIfLost(pool, supervisorId, maxDeaths)));
  }
  return { released, alone: others.length === 0 };
}

async function hasSessions(sql: Sql, supervisorId: string): Promise<boolean> {
  return (await countSessions(sql, `${supervisorId}/`)) > 0;
}

// The lock that the supervisor would hold is held by this transaction instead: the supervisor, if it comes
// back meanwhile, waits until its old claims are released, and no second sweep does the same.
async function releaseIfLost(pool: pg.Pool, supervisorId: string, maxDeaths: number): Promise<ReleasedJob[]> {
  return inTransaction(pool, async (tx) => {
    const { taken } = await tryLock(tx, supervisorId, "transaction");
    if (!taken) return [];
    const sessions = await endSessions(tx, `${supervisorId}/`);
    const options: ReleaseOptions = { maxDeaths, reason: `its host's supervisor ${supervisorId} was lost` };
    const released = await releaseSupervisor(tx, supervisorId, options);
    // One that is just ending may have committed a claim that this release did not see. A claim whose row was locked
    // was passed over: whoever is registered is looked at again.
    if (sessions === 0) await unregisterSupervisor(tx, supervisorId);
    return released;
  });
}

/** Releases the claims that are older than the job timeout, whoever holds them. */
export async function sweepOverdue(sql: Sql, { maxDeaths, timeoutMs }: SweepOptions): Promise<ReleasedJob[]> {
  return releaseOverdue(sql, timeoutMs, {
    maxDeaths,
    reason: `it ran longer than ${plural(timeoutMs / 60_000, "minute")}`,
  });
}

/**
 * Wakes the workers if a job is pending. A claim passes over a job that somebody else has locked, a person in psql
 * say, and nothing tells the workers when it is free again.
 */
export async function wakeForPending(sql: Sql, schema: string): Promise<void> {
  await sql.query(
    `select pg_notify($1, '') where exists (select from processing_jobs where queued and status = ${statuses.pending})`,
    [jobsChannel(schema)],
  );
}

/** Deletes all but the newest `kept` rows of processing_failures. Returns how many were deleted. */
export async function trimFailures(sql: Sql, kept: number): Promise<number> {
  const { rowCount } = await sql.query(
    `delete from processing_failures
     where id <= (select id from processing_failures order by id desc offset $1 limit 1)`,
    [kept],
  );
  return rowCount ?? 0;
}
