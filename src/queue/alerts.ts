import type { Sql } from "../db/pool.js";

export type AlertKind =
  | "reorg_too_deep"
  | "old_transaction"
  | "false_head"
  | "lock_wait"
  | "crash_loop"
  | "head_failures"
  | "other_chain";

/** Raises an alert; one of its kind that is open keeps its time and gets the new message. */
export async function raiseAlert(sql: Sql, kind: AlertKind, message: string): Promise<void> {
  await sql.query(
    `insert into alerts (kind, message) values ($1, $2)
     on conflict (kind) where cleared_at is null do update set message = excluded.message`,
    [kind, message],
  );
}

/** Clears the alert of a kind, if one is open whose message begins with `about`. */
export async function clearAlert(sql: Sql, kind: AlertKind, about = ""): Promise<void> {
  await sql.query(
    `update alerts set cleared_at = clock_timestamp()
     where kind = $1 and cleared_at is null and starts_with(message, $2)`,
    [kind, about],
  );
}

export interface OpenAlert {
  kind: string;
  message: string;
  ageSeconds: number;
}

/** What a person should look at, the oldest first: at most one of a kind. */
export async function readOpenAlerts(sql: Sql): Promise<OpenAlert[]> {
  const { rows } = await sql.query<OpenAlert>(
    `select kind, message, extract(epoch from clock_timestamp() - raised_at)::float8 as "ageSeconds"
     from alerts where cleared_at is null order by id`,
  );
  return rows;
}
