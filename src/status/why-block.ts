import type pg from "pg";
import { describeJobHolder } from "../db/lock-waits.js";
import type { Sql } from "../db/pool.js";
import type { JobResult } from "../queue/job-result.js";
import { countAhead, type QueueBlock, type QueueJob, readQueueBlock } from "../queue/read-block-state.js";
import { type LiveWorker, readWorkers } from "../queue/read-workers.js";
import { endpointStates } from "./endpoint-states.js";

/** Why a block is where it is: every state that there is. `blockmill why --json` prints one for each block. */
export type BlockState =
  | {
      state: "stored";
      completedAt: Date | null;
      claimedForMs: number | null;
      worker: string | null;
      result: Partial<JobResult> | null;
      verified: string[];
    }
  | {
      state: "archived";
      completedAt: Date | null;
      claimedForMs: number | null;
      worker: string | null;
      result: Partial<JobResult> | null;
      verified: string[];
    }
  | { state: "absent"; archived: boolean }
  | { state: "rows missing"; archived: boolean }
  | { state: "rows without a job"; verified: string[] }
  | { state: "not asked for"; head: number | null }
  | { state: "beyond the head"; head: number; follows: boolean }
  | { state: "waits for the head"; head: number; attempts: number; error: string | null }
  | { state: "in a range"; range: number; next: number; before: number }
  | { state: "paused"; seconds: number; reason: string | null; by: string | null }
  | { state: "held by a lock"; holder: string }
  | { state: "no worker" }
  | { state: "endpoints down"; reason: string }
  | { state: "waiting"; ahead: number; aheadIsAtLeast: boolean; seconds: number | null; priority: number }
  | { state: "parked" }
  | { state: "orphaned"; error: string | null }
  | { state: "delayed"; inSeconds: number }
  | { state: "retrying"; inSeconds: number; attempts: number; error: string; endpoint: string | null }
  | { state: "not there yet"; inSeconds: number; absences: number; error: string | null }
  | {
      state: "claimed";
      worker: string;
      hostname: string | null;
      seconds: number;
      attempt: number;
      workerState: string;
      /** As the worker said it within the last seconds; null: it has not told of this block yet. */
      stage: string | null;
      reason: string | null;
    }
  | { state: "claimed by a lost host"; worker: string; seconds: number }
  | { state: "failed"; attempts: number; deaths: number; error: string | null; endpoint: string | null }
  | { state: "cancelled"; error: string | null };

/** Which states there are; a test reaches each. */
export const blockStates = [
  "stored",
  "archived",
  "absent",
  "rows missing",
  "rows without a job",
  "not asked for",
  "beyond the head",
  "waits for the head",
  "in a range",
  "paused",
  "held by a lock",
  "no worker",
  "endpoints down",
  "waiting",
  "parked",
  "orphaned",
  "delayed",
  "retrying",
  "not there yet",
  "claimed",
  "claimed by a lost host",
  "failed",
  "cancelled",
] as const satisfies readonly BlockState["state"][];

// Whoever adds a state adds it to the list.
type Unlisted = Exclude<BlockState["state"], (typeof blockStates)[number]>;
const _all: Unlisted extends never ? true : never = true;
void _all;

const workersRead = 500;

/** Why a block is where it is. A few statements, each by an index. */
export async function whyBlock(pool: pg.Pool, block: number): Promise<BlockState> {
  const queue = await readQueueBlock(pool, block);
  const row = await readRow(pool, block);
  const { job, isCovered } = queue;
  if (job?.status === "completed" || (job === null && isCovered)) return done(queue, row);
  if (job !== null) return ofJob(pool, block, job, queue);
  if (row !== null) return { state: "rows without a job", verified: row.verified };
  if (queue.range !== null) {
    const { id, next, before } = queue.range;
    return { state: "in a range", range: id, next, before };
  }
  if (queue.head !== null && block > queue.head)
    return { state: "beyond the head", head: queue.head, follows: queue.follows };
  return { state: "not asked for", head: queue.head };
}

async function readRow(sql: Sql, block: number): Promise<{ verified: string[] } | null> {
  const { rows } = await sql.query<{ verified: string[] }>("select verified from blocks where number = $1", [
    block,
  ]);
  return rows[0] ?? null;
}

function done({ job, history, isAbsent }: QueueBlock, row: { verified: string[] } | null): BlockState {
  const isArchived = job === null;
  if (row === null && (isArchived ? isAbsent : job.result?.absent === true))
    return { state: "absent", archived: isArchived };
  if (row === null) return { state: "rows missing", archived: isArchived };
  const { completedAt = null, claimedForMs = null, worker = null, result = null } = job ?? history ?? {};
  const facts = { completedAt, claimedForMs, worker, result, verified: row.verified };
  return { state: isArchived ? "archived" : "stored", ...facts };
}

async function ofJob(pool: pg.Pool, block: number, job: QueueJob, queue: QueueBlock): Promise<BlockState> {
  const { lastError: error, attempts, deaths, absences, priority } = job;
  const inSeconds = Math.max(0, job.dueInSeconds ?? 0);
  const { head, failure } = queue;
  switch (job.status) {
    case "failed":
      return { state: "failed", attempts, deaths, error, endpoint: failure?.endpoint ?? null };
    case "cancelled":
      return { state: "cancelled", error };
    case "scheduled":
      if (job.isSuspended) return { state: "orphaned", error };
      if (job.isParked) return { state: "parked" };
      if (absences > 0 && head !== null && block > head)
        return { state: "waits for the head", head, attempts, error };
      if (absences > 0) return { state: "not there yet", inSeconds, absences, error };
      if (attempts === 0 || error === null) return { state: "delayed", inSeconds };
      return { state: "retrying", inSeconds, attempts, error, endpoint: failure?.endpoint ?? null };
    case "processing":
      return claimed(await readWorkers(pool, workersRead), block, job);
    default:
      break;
  }
  if (queue.pause !== null) return { state: "paused", ...queue.pause };
  const holder = await describeJobHolder(pool, block);
  if (holder !== null) return { state: "held by a lock", holder };
  const workers = (await readWorkers(pool, workersRead)).filter(({ lives }) => lives);
  if (!workers.some(({ role }) => role === "worker")) return { state: "no worker" };
  const endpoints = endpointStates(workers);
  if (endpoints.length > 0 && endpoints.every(({ up }) => up === 0))
    return {
      state: "endpoints down",
      reason: endpoints.map(({ name, reason }) => reason ?? name).join("; "),
    };
  const { count, atLeast } = await countAhead(pool, { block, priority });
  return { state: "waiting", ahead: count, aheadIsAtLeast: atLeast, seconds: job.waitsSeconds, priority };
}

function claimed(
  workers: readonly LiveWorker[],
  block: number,
  { worker, claimedSeconds, attempts }: QueueJob,
): BlockState {
  const workerId = worker ?? "?";
  const seconds = Math.max(0, claimedSeconds ?? 0);
  const found = workers.find((each) => each.workerId === workerId);
  // A process that is not registered yet, or any more, belongs to a supervisor that may be.
  const supervisor = workers.find((each) => workerId.startsWith(`${each.supervisorId}/`));
  if (!(found ?? supervisor)?.lives) return { state: "claimed by a lost host", worker: workerId, seconds };
  return {
    state: "claimed",
    worker: workerId,
    hostname: (found ?? supervisor)?.hostname ?? null,
    seconds,
    attempt: attempts,
    workerState: found?.state ?? "not registered",
    stage: found?.doing.stages?.[found.doing.blocks?.indexOf(block) ?? -1] ?? null,
    reason: found?.doing.reason ?? null,
  };
}
