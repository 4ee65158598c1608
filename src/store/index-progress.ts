import type { Sql } from "../db/pool.js";

/** How far the CREATE INDEX of a session is. */
export interface BuildProgress {
  /** PostgreSQL's word for what it does: building index: scanning table, waiting for old snapshots, ... */
  phase: string;
  /** Of this one statement, from 0 to 1. */
  done: number;
  /** The session that it waits for; null: it waits for none. */
  waitsFor: number | null;
}

const statement = `
  select phase, current_locker_pid as locker, lockers_total::float8 as lockers, lockers_done::float8,
    blocks_total::float8 as blocks, blocks_done::float8, tuples_total::float8 as tuples, tuples_done::float8
  from pg_stat_progress_create_index where pid = $1 and datname = current_database()`;

interface Row {
  phase: string;
  locker: number | null;
  lockers: number;
  lockers_done: number;
  blocks: number;
  blocks_done: number;
  tuples: number;
  tuples_done: number;
}

/**
 * The phases of a concurrent build that take time, in their order, with what was measured of them: the first
 * reads the table, the second writes the index, the others look for rows that came meanwhile.
 * https://www.postgresql.org/docs/current/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING
 */
const phases: readonly [prefix: string, from: number, to: number][] = [
  ["building index: scanning table", 0, 0.4],
  ["building index: sorting live tuples", 0.4, 0.5],
  ["building index: loading tuples in tree", 0.5, 0.75],
  ["waiting for writers before validation", 0.75, 0.75],
  ["index validation: scanning index", 0.75, 0.8],
  ["index validation: sorting tuples", 0.8, 0.85],
  ["index validation: scanning table", 0.85, 1],
  ["waiting for old snapshots", 1, 1],
];

/** What a session that builds an index is at; null: it builds none just now. Reads shared memory alone. */
export async function readBuildProgress(sql: Sql, pid: number): Promise<BuildProgress | null> {
  const { rows } = await sql.query<Row>(statement, [pid]);
  const row = rows[0];
  if (row === undefined) return null;
  const [, from, to] = phases.find(([prefix]) => row.phase.startsWith(prefix)) ?? ["", 0, 0];
  const share =
    row.tuples > 0 ? row.tuples_done / row.tuples : row.blocks > 0 ? row.blocks_done / row.blocks : 0;
  const waits = row.phase.startsWith("waiting") && row.lockers > row.lockers_done;
  return {
    phase: row.phase,
    done: from + (to - from) * Math.min(1, share),
    waitsFor: waits ? row.locker : null,
  };
}
