import type { Sql } from "../db/pool.js";

export interface LiveWorker {
  workerId: string;
  supervisorId: string;
  role: "supervisor" | "orchestrator" | "worker";
  hostname: string;
  pid: number;
  version: string;
  state: string;
  /** completed, failed, lost: counts since its start; memoryMb; blocks: those in hand; reason: why it waits. */
  doing: Record<string, unknown>;
  seenAgeSeconds: number;
  /** Whether its supervisor's session holds its lock: only that says who lives. */
  lives: boolean;
}

// pg_locks shows a lock on one bigint as its two halves, with objsubid 1:
// https://www.postgresql.org/docs/current/view-pg-locks.html
const workersStatement = `
  select worker_id as "workerId", supervisor_id as "supervisorId", role, hostname, pid, version, state,
    coalesce(doing, '{}') as doing,
    extract(epoch from clock_timestamp() - seen_at)::float8 as "seenAgeSeconds",
    exists (
      select from pg_locks, hashtextextended(supervisor_id, 0) as key
      where locktype = 'advisory' and granted and objsubid = 1
        and database = (select oid from pg_database where datname = current_database())
        and classid = ((key >> 32) & 4294967295)::oid and objid = (key & 4294967295)::oid
    ) as lives
  from processing_workers
  order by supervisor_id, role = 'worker', role = 'orchestrator', length(worker_id), worker_id
  limit $1`;

/** Who lives, and who is not yet swept away: each supervisor, its orchestrator, its workers. */
export async function readWorkers(sql: Sql, limit: number): Promise<LiveWorker[]> {
  const { rows } = await sql.query<LiveWorker>(workersStatement, [limit]);
  return rows;
}
