import type { Sql } from "../db/pool.js";

/** SQLSTATE insufficient_privilege. */
const noRight = "42501";

/**
 * Notes that somebody looked after the data just now: the alerts backup_old and verification_old go by it. False: this
 * role may not write there, as one that only reads.
 */
export async function noteUpkeep(sql: Sql, what: "backup" | "verification"): Promise<boolean> {
  try {
    await sql.query(
      `insert into processing_upkeep (what, done_at) values ($1, clock_timestamp())
       on conflict (what) do update set done_at = excluded.done_at`,
      [what],
    );
    return true;
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === noRight) return false;
    throw error;
  }
}
