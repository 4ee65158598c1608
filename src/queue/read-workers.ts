import { type AnyDoing, readAnyDoing } from "../child/doing.js";
import { processRoles } from "../child/roles.js";
import { believedLocks, isHeld } from "../db/advisory-locks.js";
import type { Sql } from "../db/pool.js";

export interface LiveWorker {
  workerId: string;
  supervisorId: string;
  /** One of ProcessRole, or what a newer version calls it. */
  role: string;
  hostname: string;
  pid: number;
  version: string;
  state: string;
  doing: AnyDoing;
  seenAgeSeconds: number;
  /** Whether its supervisor's session holds its lock: only that says who lives. */
  lives: boolean;
}

// The locks are listed once, not once for each row: the list takes the server's lock tables for a moment.
const workersStatement = `
  with believed as materialized (${believedLocks})
  select worker_id as "workerId", supervisor_id as "supervisorId", role, hostname, pid, version, state,
    doing,
    extract(epoch from clock_timestamp() - seen_at)::float8 as "seenAgeSeconds",
    ${isHeld("supervisor_id", "believed")} as lives
  from processing_workers
  order by supervisor_id, array_position($2::text[], role), length(worker_id), worker_id
  limit $1`;

/** Who lives, and who is not yet swept away: each supervisor and its children, in the order of the roles. */
export async function readWorkers(sql: Sql, limit: number): Promise<LiveWorker[]> {
  const { rows } = await sql.query<LiveWorker>(workersStatement, [limit, processRoles]);
  return rows.map((row) => ({ ...row, doing: readAnyDoing(row.role, row.doing) }));
}
