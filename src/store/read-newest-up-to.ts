import type { Sql } from "../db/pool.js";

/** A stored block, and its own time in seconds since 1970. */
export interface StoredTime {
  number: number;
  timestamp: number;
}

/** The newest stored block of those up to a number, or of all; null: there is none. */
export async function readNewestUpTo(sql: Sql, number: number | null): Promise<StoredTime | null> {
  const { rows } = await sql.query<StoredTime>(
    `select number, extract(epoch from timestamp)::float8 as timestamp from blocks
     where number <= coalesce($1::bigint, 9007199254740991) order by number desc limit 1`,
    [number],
  );
  return rows[0] ?? null;
}
