import type { AnyDoing } from "../child/doing.js";
import type { ProcessRole } from "../child/roles.js";
import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

export interface WorkerRow {
  workerId: string;
  supervisorId: string;
  role: ProcessRole;
  hostname: string;
  pid: number;
  version: string;
  state: string;
  doing: AnyDoing | null;
}

const upsert = `
  insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version, state, doing)
  select * from jsonb_to_recordset($1::jsonb) as t (
    worker_id text, supervisor_id text, role text, hostname text, pid int, version text, state text, doing jsonb
  )
  on conflict (worker_id) do update
    set state = excluded.state, doing = excluded.doing, pid = excluded.pid, seen_at = clock_timestamp()`;

/** Says who lives: writes the rows of a supervisor's processes. */
export async function registerWorkers(sql: Sql, workers: WorkerRow[]): Promise<void> {
  const rows = workers.map(({ workerId: worker_id, supervisorId: supervisor_id, ...rest }) => ({
    worker_id,
    supervisor_id,
    ...rest,
  }));
  await sql.query(upsert, [JSON.stringify(rows)]);
}

/** Removes the row of a process that ended. */
export async function unregisterWorker(sql: Sql, workerId: string): Promise<void> {
  await sql.query("delete from processing_workers where worker_id = $1", [workerId]);
}

/**
 * Removes the rows of a supervisor and all its processes, unless they left claims: those of a supervisor that is
 * registered are looked for first.
 */
export async function unregisterSupervisor(sql: Sql, supervisorId: string): Promise<void> {
  await sql.query(
    `delete from processing_workers
     where supervisor_id = $1 and not exists (
       select from processing_jobs
       where queued and status = ${statuses.processing} and starts_with(worker_id, $1 || '/')
     )`,
    [supervisorId],
  );
}
