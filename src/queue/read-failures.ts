import type { Sql } from "../db/pool.js";

export interface LatestFailure {
  blockNumber: number;
  attempt: number;
  class: string;
  message: string;
  endpoint: string | null;
  ageSeconds: number;
}

/** The latest failed attempts, the newest first. */
export async function readLatestFailures(sql: Sql, limit: number): Promise<LatestFailure[]> {
  const { rows } = await sql.query<LatestFailure>(
    `select block_number as "blockNumber", attempt, class, message, endpoint,
       extract(epoch from clock_timestamp() - failed_at)::float8 as "ageSeconds"
     from processing_failures order by id desc limit $1`,
    [limit],
  );
  return rows;
}
