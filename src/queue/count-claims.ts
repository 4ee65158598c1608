import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

/** How many jobs a worker holds. */
export async function countClaims(sql: Sql, workerId: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `select count(*) as count from processing_jobs where queued and status = ${statuses.processing} and worker_id = $1`,
    [workerId],
  );
  return rows[0]?.count ?? 0;
}
