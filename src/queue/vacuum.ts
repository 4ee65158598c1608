import type { Sql } from "../db/pool.js";

// Without truncating, which would lock everybody out for a moment. A role that does not own the table gets a
// warning, and autovacuum does it later.
const statement = "vacuum (skip_locked, truncate false) processing_jobs";

/** Lets the space of jobs that are archived be used again, at once: at full speed autovacuum comes too late. */
export async function vacuumJobs(sql: Sql): Promise<void> {
  await sql.query(statement);
}
