// THE story. A batch of jobs goes through it in three steps:
//
//   claimBatch     take jobs from the queue                        a transaction of its own
//   prepareBatch   fetch → verify → decode → transform             network and CPU, no transaction
//                  (all behind the fetch in one go, where a block is usual: src/direct)
//   commitBatch    complete the jobs and write their rows          one transaction, no network (commit-prepared.ts)
//
// While one batch commits, the worker prepares the next; while nodes keep it waiting, it begins those after
// it (src/worker/work.ts). What goes wrong with a block ends in settleFailure (settle-failure.ts); an
// outage (database gone, endpoints down) is thrown to the worker, which waits.

import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import type { BlockSpan } from "../block.js";
import type { WantedBlock } from "../chain/endpoint/fetch-block.js";
import type { Endpoints } from "../chain/endpoints.js";
import { fetchProvenBlock, type ProvenBlock, type TakenBlock } from "../chain/fetch-proven-block.js";
import { AbsentBlockError } from "../chain/prove-absence.js";
import type { Prove } from "../chain/prove-block.js";
import type { Compute } from "../child/compute-mark.js";
import { decodeTokenTransfers } from "../decode/decode-token-transfers.js";
import type { DirectBlock, TakeDirectly } from "../direct/direct-way.js";
import { dispositionOf, JobTimeoutError } from "../errors.js";
import { withLinkedSignal } from "../linked-signal.js";
import { claimJobs, type Position } from "../queue/claim.js";
import { giveBack } from "../queue/give-back.js";
import { readHead } from "../queue/head.js";
import type { ClaimedJob } from "../queue/job.js";
import type { JobResult } from "../queue/job-result.js";
import type { EncodedBlock, Encoder } from "../store/encode-block.js";
import { toRows } from "../store/to-rows.js";
import {
  type CommitOptions,
  commitPrepared,
  type PreparedBlock,
  type PreparedJob,
} from "./commit-prepared.js";
import { completeAbsent } from "./complete-absent.js";
import type { FetchSlots } from "./fetch-slots.js";
import type { ReadAhead } from "./read-ahead.js";
import { addOutcome, type BatchOutcome, type FailedJob, settleFailure } from "./settle-failure.js";

/** What the pipeline works with. */
export interface Pipeline extends CommitOptions {
  endpoints: Endpoints;
  /** Takes what is usual from a node's bytes to rows, proven, in one go. */
  takeDirectly: TakeDirectly;
  /** Proves what an endpoint served, where it was not taken directly. */
  prove: Prove;
  /** Turns a block's rows into what PostgreSQL reads, in memory that it lends until they are committed. */
  encoder: Encoder;
  jobTimeoutMs: number;
  slots: FetchSlots;
  /** Runs each piece of computing for a block, which a death of this process counts for. */
  compute: Compute;
  /** What was begun before there was a claim of it. */
  ahead?: ReadAhead<PreparedBlock> | undefined;
  /** Claim only these blocks. */
  only?: BlockSpan | undefined;
}

export interface PreparedBatch {
  prepared: PreparedJob[];
  failed: FailedJob[];
  /** Jobs to be given back unharmed, and why: the endpoints are down, or serve another chain, or the worker is to stop. */
  unharmed: ClaimedJob[];
  waitFor: unknown;
}

/**
 * Tells the endpoints which chain the schema holds, so that one of another chain is refused; and reads what is decoded. Returns
 * whether it is known: not before an orchestrator has followed a head.
 */
export async function learnChain({ pool, endpoints, eventTables }: Pipeline): Promise<boolean> {
  await eventTables?.refresh();
  const followed = await readHead(pool);
  if (followed !== null) endpoints.expectChain(followed.chainId);
  return followed !== null;
}

/** What to claim next. */
export interface ClaimRequest {
  limit: number;
  /** Go on behind this position; undefined: from the start. */
  after: Position | undefined;
}

/** Claims jobs, in a transaction of their own. An empty list: there is nothing to do. */
export function claimBatch(pipeline: Pipeline, request: ClaimRequest): Promise<ClaimedJob[]> {
  const { pool, workerId, only } = pipeline;
  return claimJobs(pool, { ...request, workerId, only, durable: false });
}

/**
 * Turns claimed jobs into rows, as many at a time as there are slots. A job that fails is in `failed`; one that could not
 * be worked on, because of an outage or because `signal` aborts, is in `unharmed`.
 */
export async function prepareBatch(
  pipeline: Pipeline,
  jobs: readonly ClaimedJob[],
  signal: AbortSignal,
): Promise<PreparedBatch> {
  const batch: PreparedBatch = { prepared: [], failed: [], unharmed: [], waitFor: undefined };
  const prepare = async (job: ClaimedJob): Promise<void> => {
    if (batch.waitFor !== undefined) {
      batch.unharmed.push(job);
      return;
    }
    try {
      batch.prepared.push(await prepareJob(pipeline, job, signal));
    } catch (error) {
      if (!signal.aborted && !isNobodysFault(error)) batch.failed.push({ job, error });
      else {
        batch.unharmed.push(job);
        batch.waitFor ??= error;
      }
    }
  };
  await Promise.all(jobs.map((job) => pipeline.slots.use(() => prepare(job))));
  return batch;
}

/** No block's fault, at least: what is away, or what makes this process unable to work at all. */
function isNobodysFault(error: unknown): boolean {
  const disposition = dispositionOf(error);
  return disposition === "wait" || disposition === "fatal-process";
}

async function prepareJob(pipeline: Pipeline, job: ClaimedJob, stop: AbortSignal): Promise<PreparedJob> {
  const wanted = { number: job.blockNumber, hash: job.blockHash };
  const ahead = wanted.hash === null ? undefined : await pipeline.ahead?.take(wanted.hash, stop);
  return { job, ...(ahead ?? (await prepareBlock(pipeline, wanted, { stop }))) };
}

/**
 * Fetches a block, proves it, and turns it into rows. Throws a JobTimeoutError after `jobTimeoutMs`. `inSteps`: the
 * process stays able to do something else meanwhile, for which a block's data lives longer (a worker of many blocks was 40 MB larger).
 */
export async function prepareBlock(
  pipeline: Pipeline,
  wanted: WantedBlock,
  { stop, inSteps = false }: { stop: AbortSignal; inSteps?: boolean },
): Promise<PreparedBlock> {
  const started = performance.now();
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), pipeline.jobTimeoutMs);
  let served: ProvenBlock | TakenBlock<DirectBlock>;
  try {
    served = await withLinkedSignal([stop, timeout.signal], (signal) =>
      fetchProvenBlock({ ...pipeline, take: pipeline.takeDirectly, wanted, signal, inSteps }),
    );
  } catch (error) {
    if (!timeout.signal.aborted || stop.aborted) throw error;
    throw new JobTimeoutError(
      "it ran longer than pipeline.timeout_minutes",
      { block: wanted.number },
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
  if ("taken" in served) {
    const { rows, verifyMs, encodeMs } = served.taken;
    const fetchMs = performance.now() - started - verifyMs - encodeMs;
    const told = { fetchMs, verifyMs, encodeMs, endpoint: served.endpoint, direct: true };
    const decoded = decodeFor(pipeline, rows, served.endpoint);
    return { rows, way: "direct", answerMs: served.answerMs, decoded, result: resultOf(rows, told) };
  }
  if (inSteps) await setImmediate();
  const proven = performance.now();
  const { block, verified, verifyMs, endpoint, answerMs } = served;
  const place = pipeline.endpoints.all.findIndex(({ name }) => name === endpoint);
  let decodeMs = 0;
  const encode = () => {
    const transfers = decodeTokenTransfers(block);
    decodeMs = performance.now() - proven;
    return pipeline.encoder.encode(toRows(block, transfers, verified));
  };
  const rows = pipeline.compute(wanted.number, encode, place);
  const encodeMs = performance.now() - proven;
  const fetchMs = proven - started - verifyMs;
  const told = { fetchMs, verifyMs, encodeMs, endpoint, direct: false };
  const decoded = decodeFor(pipeline, rows, endpoint);
  return { rows, way: "long", answerMs, decodeMs, decoded, result: resultOf(rows, told) };
}

/** Its rows in event tables, from its encoded logs. */
function decodeFor({ eventTables, compute, endpoints }: Pipeline, rows: EncodedBlock, endpoint: string) {
  if (eventTables === undefined) return undefined;
  const place = endpoints.all.findIndex(({ name }) => name === endpoint);
  return compute(rows.number, () => eventTables.decode(rows), place);
}

function resultOf(
  { counts }: EncodedBlock,
  told: { fetchMs: number; verifyMs: number; encodeMs: number; endpoint: string; direct: boolean },
): JobResult {
  return {
    transactions: counts.transactions,
    logs: counts.logs,
    withdrawals: counts.withdrawals,
    token_transfers: counts.tokenTransfers,
    fetch_ms: round(told.fetchMs),
    verify_ms: round(told.verifyMs),
    encode_ms: round(told.encodeMs),
    endpoint: told.endpoint,
    direct: told.direct,
  };
}

/**
 * Settles a batch: one transaction completes its jobs and writes their rows, so that they appear
 * together or not at all; then the failed ones are
 * failed, and the unharmed ones given back. Jobs whose token no longer holds are left out. A batch with
 * a block that PostgreSQL refuses is committed block by block, so that only that block fails. Throws
 * only in an outage: then nothing of the batch was committed, or the whole is committed and calling
 * again finds the tokens spent.
 */
export async function commitBatch(pipeline: Pipeline, batch: PreparedBatch): Promise<BatchOutcome> {
  const outcome = await commitPrepared(pipeline, batch.prepared);
  for (const { job, error } of batch.failed) {
    const settled =
      error instanceof AbsentBlockError
        ? completeAbsent(pipeline, job, error)
        : settleFailure(pipeline, { job, error });
    addOutcome(outcome, await settled);
  }
  await giveBack(
    pipeline.pool,
    pipeline.workerId,
    batch.unharmed.map(({ token }) => token),
  );
  // Nobody commits it again: what PostgreSQL took, it has read to the end, since COMMIT came behind it.
  pipeline.encoder.reuse(batch.prepared.map(({ rows }) => rows));
  return outcome;
}

const round = (ms: number): number => Math.round(ms * 100) / 100;
