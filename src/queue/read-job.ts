import type { Sql } from "../db/pool.js";
import { type JobResult, readResult } from "./job-result.js";
import type { JobStatus } from "./job-status.js";

export interface JobState {
  /** `archived`: it was completed, and folded into processing_coverage. `gone`: there is no job. */
  status: JobStatus | "archived" | "gone";
  attempts: number;
  /** How often in a row its block could not be had yet. */
  absences: number;
  lastError: string | null;
  result: Partial<JobResult> | null;
}

/** What became of a block's job. */
export async function readJob(sql: Sql, blockNumber: number): Promise<JobState> {
  const { rows } = await sql.query<{
    status: JobStatus | null;
    attempts: number | null;
    absences: number | null;
    last_error: string | null;
    result: unknown;
    covered: boolean;
  }>(
    `select job.status, job.attempts, job.absences, job.last_error, job.result, blocks @> $1::bigint as covered
     from processing_coverage left join processing_jobs as job on job.block_number = $1`,
    [blockNumber],
  );
  const row = rows[0];
  return {
    status: row?.status ?? (row?.covered ? "archived" : "gone"),
    attempts: row?.attempts ?? 0,
    absences: row?.absences ?? 0,
    lastError: row?.last_error ?? null,
    result: readResult(row?.result),
  };
}
