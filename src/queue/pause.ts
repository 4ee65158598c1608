import { hostname } from "node:os";
import type { Sql, Tx } from "../db/pool.js";
import { statuses } from "./job-status.js";

/** Since when, why, and by whom nobody claims. */
export interface Pause {
  pausedAt: Date;
  /** Seconds since then, by the database's clock. */
  forSeconds: number;
  reason: string | null;
  /** Role and host; null: it was done by hand. */
  by: string | null;
}

/**
 * Pauses a schema: from the next claim on nobody gets a job; what is claimed is finished. A pause that
 * is there already keeps its time. Returns whether it is new.
 */
export async function pauseWork(sql: Sql, reason: string | null): Promise<boolean> {
  const { rowCount } = await sql.query(
    `with paused as (
       update processing_control set paused_at = clock_timestamp(), reason = $1 where paused_at is null returning paused_at
     )
     insert into processing_pause (paused_at, role, host) select paused_at, session_user, $2 from paused
     on conflict (one) do update set paused_at = excluded.paused_at, role = excluded.role, host = excluded.host`,
    [reason, hostname()],
  );
  return rowCount === 1;
}

/** Ends a pause, and wakes every worker that shares the schema. Returns whether there was one. */
export async function resumeWork(sql: Sql): Promise<boolean> {
  const { rowCount } = await sql.query(
    "update processing_control set paused_at = null, reason = null where paused_at is not null",
  );
  return rowCount === 1;
}

/** For a statement that reads processing_control: who paused, if that was noted. */
export const pausedBySql = `
  (select role || ' on ' || host from processing_pause where processing_pause.paused_at = processing_control.paused_at)`;

/** The pause, if there is one. */
export async function readPause(sql: Sql): Promise<Pause | null> {
  const { rows } = await sql.query<Pause>(
    `select paused_at as "pausedAt", reason, ${pausedBySql} as by,
       extract(epoch from clock_timestamp() - paused_at)::float8 as "forSeconds"
     from processing_control where paused_at is not null`,
  );
  return rows[0] ?? null;
}

// A claim holds these two locks from before it looks at the pause until it commits.
const claimsUnderWay = `
  select count(distinct pid) as count from pg_locks
  where locktype = 'relation' and granted and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())
    and relation = 'processing_jobs'::regclass and mode = 'RowExclusiveLock'
    and pid in (
      select pid from pg_locks
      where locktype = 'relation' and granted and relation = 'processing_control'::regclass and mode = 'AccessShareLock'
    )`;

const claimed = `select count(*) as count from processing_jobs where queued and status = ${statuses.processing}`;

/**
 * What a pause still waits for: the claims that are being made at this moment, which may yet get a job,
 * and the jobs that are claimed. Once both are 0 after a pause, they stay 0 until the resume.
 */
export async function countInHand(sql: Sql): Promise<{ claims: number; jobs: number }> {
  // In this order: a claim that has let its locks go by then has committed, and is counted.
  const underWay = await sql.query<{ count: number }>(claimsUnderWay);
  const jobs = await sql.query<{ count: number }>(claimed);
  return { claims: underWay.rows[0]?.count ?? 0, jobs: jobs.rows[0]?.count ?? 0 };
}

/**
 * Makes every claimed job pending again, uncounted, and forgets every process: for a database that was
 * restored, and that nobody works on. Returns how many jobs were claimed.
 */
export async function requeueInHand(tx: Tx): Promise<number> {
  await tx.query("delete from processing_workers");
  const { rowCount } = await tx.query(
    `update processing_jobs set status = ${statuses.pending}, attempts = greatest(attempts - 1, 0)
     where queued and status = ${statuses.processing}`,
  );
  return rowCount ?? 0;
}
