import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

/** Makes the scheduled jobs whose time has come pending, at most `limit`. The update's trigger wakes the workers. */
export async function promoteDue(sql: Sql, limit: number): Promise<number> {
  const { rows } = await sql.query(
    `update processing_jobs set status = ${statuses.pending}
     where block_number = any (array(
       select block_number from processing_jobs
       where due_at is not null and due_at <= clock_timestamp()
       order by due_at limit $1 for update skip locked
     ))
     returning 1`,
    [limit],
  );
  return rows.length;
}

/** Milliseconds until the next scheduled job is due, by the database's clock; null: there is none. */
export async function nextDueInMs(sql: Sql): Promise<number | null> {
  const { rows } = await sql.query<{ ms: number | null }>(
    `select (extract(epoch from min(due_at) - clock_timestamp()) * 1000)::float8 as ms
     from processing_jobs where due_at < 'infinity'`,
  );
  const ms = rows[0]?.ms ?? null;
  return ms === null ? null : Math.max(0, Math.ceil(ms));
}
