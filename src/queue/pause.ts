import type { Sql } from "../db/pool.js";

/** Since when, and why, nobody claims. */
export interface Pause {
  pausedAt: Date;
  reason: string | null;
}

/**
 * Pauses a schema: from the next claim on nobody gets a job; what is claimed is finished. A pause that
 * is there already keeps its time. Returns whether it is new.
 */
export async function pauseWork(sql: Sql, reason: string | null): Promise<boolean> {
  const { rowCount } = await sql.query(
    "update processing_control set paused_at = clock_timestamp(), reason = $1 where paused_at is null",
    [reason],
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

/** The pause, if there is one. */
export async function readPause(sql: Sql): Promise<Pause | null> {
  const { rows } = await sql.query<{ paused_at: Date; reason: string | null }>(
    "select paused_at, reason from processing_control where paused_at is not null",
  );
  const row = rows[0];
  return row === undefined ? null : { pausedAt: row.paused_at, reason: row.reason };
}

/** Jobs that are claimed at this moment: what a pause still waits for. */
export async function countInHand(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    "select count(*) as count from processing_jobs where queued and status = 'processing'",
  );
  return rows[0]?.count ?? 0;
}
