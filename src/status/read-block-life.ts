import type pg from "pg";
import { type JobResult, readResult } from "../queue/job-result.js";
import { type Redact, redactTexts } from "../redact.js";
import { readStoredBlock, type StoredBlock } from "../store/read-stored-block.js";

/** A block's job, as it stands in processing_jobs, or in processing_history once it was archived. */
export interface JobOfBlock {
  status: string;
  priority: number;
  attempts: number;
  /** How often in a row its block could not be had yet. */
  absences: number;
  workerId: string | null;
  /** When it was made, when it is or was due, claimed and completed; null also where it says infinity. */
  createdAt: Date | null;
  runAt: Date | null;
  startedAt: Date | null;
  completedAt: Date | null;
  /** The hash that is wanted; null: whatever is canonical. */
  blockHash: string | null;
  lastError: string | null;
  result: Partial<JobResult> | null;
}

/** A failed attempt. */
export interface FailureOfBlock {
  attempt: number;
  failedAt: Date;
  class: string;
  message: string;
  workerId: string | null;
  endpoint: string | null;
}

export interface BlockLife {
  number: number;
  /** Null: there is no job, and none in the history that is kept. */
  job: JobOfBlock | null;
  /** Null: it is not stored. */
  stored: StoredBlock | null;
  /** The newest first, at most 50. */
  failures: FailureOfBlock[];
}

const finite = (column: string): string => `case when isfinite(${column}) then ${column} end`;

const jobStatement = `
  select status, priority, attempts, absences, worker_id as "workerId", ${finite("created_at")} as "createdAt",
    ${finite("run_at")} as "runAt", ${finite("started_at")} as "startedAt", ${finite("completed_at")} as "completedAt",
    '0x' || encode(block_hash, 'hex') as "blockHash", last_error as "lastError", result
  from processing_jobs where block_number = $1`;

const historyStatement = `
  select 'completed' as status, priority, attempts, 0 as absences, worker_id as "workerId",
    ${finite("created_at")} as "createdAt", null as "runAt", ${finite("started_at")} as "startedAt",
    ${finite("completed_at")} as "completedAt", null as "blockHash", null as "lastError", result
  from processing_history where block_number = $1 order by completed_at desc limit 1`;

const failuresStatement = `
  select attempt, failed_at as "failedAt", class, message, worker_id as "workerId", endpoint
  from processing_failures where block_number = $1 order by id desc limit 50`;

/** What is known of one block: each statement reads by its number. Without secrets. */
export async function readBlockLife(pool: pg.Pool, number: number, redact: Redact): Promise<BlockLife> {
  const jobs = await pool.query<JobOfBlock>(jobStatement, [number]);
  const found = jobs.rows[0] ?? (await pool.query<JobOfBlock>(historyStatement, [number])).rows[0];
  const stored = await readStoredBlock(pool, number);
  const { rows: failures } = await pool.query<FailureOfBlock>(failuresStatement, [number]);
  return {
    number,
    job:
      found === undefined
        ? null
        : {
            ...found,
            lastError: found.lastError === null ? null : redact(found.lastError),
            result: redactTexts(readResult(found.result), redact),
          },
    stored,
    failures: failures.map(({ failedAt, ...each }) => ({ failedAt, ...redactTexts(each, redact) })),
  };
}
