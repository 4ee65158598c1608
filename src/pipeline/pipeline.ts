// THE story. A batch of jobs goes through it in three steps:
//
//   claimBatch     take jobs from the queue                        a transaction of its own
//   prepareBatch   fetch → verify → decode → transform             network and CPU, no transaction
//                  (all behind the fetch in one go, where a block is usual: src/direct)
//   commitBatch    complete the jobs and write their rows          one transaction, no network
//
// While one batch commits, the worker prepares the next; while nodes keep it waiting, it begins those after
// it (src/worker/work.ts). Everything that goes wrong with a block ends in settleFailure; everything that is nobody's fault
// (database gone, endpoints down) is thrown to the worker, which waits.

import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import type { BlockSpan } from "../block.js";
import type { WantedBlock } from "../chain/endpoint/fetch-block.js";
import { blamed, type Endpoints } from "../chain/endpoints.js";
import {
  fetchProvenBlock,
  mayBeReceipts,
  type ProvenBlock,
  type TakenBlock,
} from "../chain/fetch-proven-block.js";
import type { Prove } from "../chain/prove-block.js";
import type { Compute } from "../child/compute-mark.js";
import { sendTogether } from "../db/exchange.js";
import { inTransaction, type Tx } from "../db/pool.js";
import { decodeTokenTransfers } from "../decode/decode-token-transfers.js";
import type { DirectBlock, TakeDirectly } from "../direct/direct-way.js";
import {
  BlockNotFoundError,
  describeError,
  dispositionOf,
  JobTimeoutError,
  MissingPartitionError,
} from "../errors.js";
import { withLinkedSignal } from "../linked-signal.js";
import type { Logger } from "../logger.js";
import { claimJobs, type Position } from "../queue/claim.js";
import { completion } from "../queue/complete.js";
import { backoffMs, failJob } from "../queue/fail.js";
import { giveBack } from "../queue/give-back.js";
import { readHead } from "../queue/head.js";
import type { ClaimedJob } from "../queue/job.js";
import type { JobResult } from "../queue/job-result.js";
import { lockCommits, shareCommits } from "../queue/lock-commits.js";
import { postponeJob } from "../queue/postpone.js";
import type { Redact } from "../redact.js";
import { assertLinked, BrokenLinkError, lockEdges, storedAround } from "../store/check-links.js";
import type { EncodedBlock, Encoder } from "../store/encode-block.js";
import type { Partitions } from "../store/partitions.js";
import { toRows } from "../store/to-rows.js";
import { copyBlocks } from "../store/write-blocks.js";
import { changeRows, type Door } from "./change-rows.js";
import type { EdgeGuard } from "./edge-guard.js";
import type { FetchSlots } from "./fetch-slots.js";
import type { ReadAhead } from "./read-ahead.js";

/** What the pipeline works with. */
export interface Pipeline extends Door {
  endpoints: Endpoints;
  /** Takes what is usual from a node's bytes to rows, proven, in one go. */
  takeDirectly: TakeDirectly;
  /** Proves what an endpoint served, where it was not taken directly. */
  prove: Prove;
  /** Turns a block's rows into what PostgreSQL reads, in memory that it lends until they are committed. */
  encoder: Encoder;
  partitions: Partitions;
  edges: EdgeGuard;
  workerId: string;
  maxAttempts: number;
  /** Blocks below the head that count as final where no endpoint tells what is. */
  finalityDepth: number;
  jobTimeoutMs: number;
  slots: FetchSlots;
  /** Runs each piece of computing for a block, which a death of this process counts for. */
  compute: Compute;
  /** What was begun before there was a claim of it. */
  ahead?: ReadAhead<PreparedBlock> | undefined;
  backoff: { baseMs: number; maxMs: number };
  /** Claim only these blocks. */
  only?: BlockSpan | undefined;
  log: Logger;
  redact: Redact;
}

/** A block whose rows are ready to be written. */
export interface PreparedBlock {
  rows: EncodedBlock;
  /** How it became rows: src/direct, or step by step. */
  way: "direct" | "long";
  /** Milliseconds that its node took to answer, once it was asked. */
  answerMs: number;
  result: JobResult;
}

/** The same, for a job. */
export interface PreparedJob extends PreparedBlock {
  job: ClaimedJob;
}

/** A job that could not be prepared, and why. */
export interface FailedJob {
  job: ClaimedJob;
  error: unknown;
}

export interface PreparedBatch {
  prepared: PreparedJob[];
  failed: FailedJob[];
  /** Jobs to be given back unharmed, and why: the endpoints are down, or the worker is to stop. */
  unharmed: ClaimedJob[];
  waitFor: unknown;
}

export interface BatchOutcome {
  completed: number;
  failed: number;
  /** Handed on, cancelled or deleted while we worked: nothing was written for them. */
  lost: number;
}

/**
 * Tells the endpoints which chain the schema holds, so that one of another chain is refused. Returns
 * whether it is known: not before an orchestrator has followed a head.
 */
export async function learnChain({ pool, endpoints }: Pipeline): Promise<boolean> {
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
 * be worked on, through nobody's fault or because `signal` aborts, is in `unharmed`.
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
      if (!signal.aborted && dispositionOf(error) !== "wait") batch.failed.push({ job, error });
      else {
        batch.unharmed.push(job);
        batch.waitFor ??= error;
      }
    }
  };
  await Promise.all(jobs.map((job) => pipeline.slots.use(() => prepare(job))));
  return batch;
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
    return { rows, way: "direct", answerMs: served.answerMs, result: resultOf(rows, told) };
  }
  if (inSteps) await setImmediate();
  const proven = performance.now();
  const { block, verified, verifyMs, endpoint, answerMs } = served;
  const rows = pipeline.compute(wanted.number, () =>
    pipeline.encoder.encode(toRows(block, decodeTokenTransfers(block), verified)),
  );
  const encodeMs = performance.now() - proven;
  const fetchMs = proven - started - verifyMs;
  const told = { fetchMs, verifyMs, encodeMs, endpoint, direct: false };
  return { rows, way: "long", answerMs, result: resultOf(rows, told) };
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
 * only what is nobody's fault: then nothing of the batch was committed, or the whole is committed and
 * calling again finds the tokens spent.
 */
export async function commitBatch(pipeline: Pipeline, batch: PreparedBatch): Promise<BatchOutcome> {
  const outcome = await commitPrepared(pipeline, batch.prepared);
  for (const failure of batch.failed) addOutcome(outcome, await settleFailure(pipeline, failure));
  await giveBack(
    pipeline.pool,
    pipeline.workerId,
    batch.unharmed.map(({ token }) => token),
  );
  // Nobody commits it again: what PostgreSQL took, it has read to the end, since COMMIT came behind it.
  pipeline.encoder.reuse(batch.prepared.map(({ rows }) => rows));
  return outcome;
}

async function commitPrepared(pipeline: Pipeline, prepared: PreparedJob[]): Promise<BatchOutcome> {
  if (prepared.length === 0) return { completed: 0, failed: 0, lost: 0 };
  try {
    await pipeline.partitions.prepare(prepared.map(({ job }) => job.blockNumber));
    if (!(await writeNew(pipeline, prepared))) await rewrite(pipeline, prepared);
    return { completed: prepared.length, failed: 0, lost: 0 };
  } catch (error) {
    if (error instanceof ClaimsLost) {
      const held = prepared.filter(({ job }) => error.held.has(job.token.id));
      const outcome = await commitPrepared(pipeline, held);
      return { ...outcome, lost: outcome.lost + prepared.length - held.length };
    }
    if (error instanceof MissingPartitionError) pipeline.partitions.forget();
    if (
      await pipeline.edges.isStrangers(
        error,
        prepared.map(({ rows }) => rows),
      )
    )
      return commitPrepared(pipeline, prepared);
    const disposition = dispositionOf(error);
    if (disposition === "wait" || disposition === "fatal-process") throw error;
    return commitOneByOne(pipeline, prepared, error);
  }
}

/** Some claims do not hold any more, and nothing was written. */
class ClaimsLost extends Error {
  /** The ids of the jobs whose claim holds. */
  readonly held: ReadonlySet<number>;

  constructor(held: ReadonlySet<number>) {
    super("some claims were handed on");
    this.held = held;
  }
}

/** One of the blocks is stored already, and nothing was written. */
class AlreadyStored extends Error {}

/**
 * Writes blocks of which none is stored, in two exchanges with the database: what decides whether the rows may be
 * written, and the rows. False: one of them is stored, and nothing was written. To wait for the door with the jobs
 * locked could be to wait in a circle.
 */
async function writeNew(pipeline: Pipeline, prepared: readonly PreparedJob[]): Promise<boolean> {
  try {
    await inTransaction(pipeline.pool, async (tx) => {
      const alone = await goAlone(tx, pipeline);
      const { blocks, stored } = await completeLinked(tx, pipeline, { prepared, alone });
      if (stored.length > 0) throw new AlreadyStored("one of the blocks is stored");
      await sendTogether(tx, copyBlocks(blocks));
    });
    return true;
  } catch (error) {
    if (error instanceof AlreadyStored) return false;
    throw error;
  }
}

/** Writes blocks of which some are stored. What the first look saw may have changed: it looks again behind the door. */
async function rewrite(pipeline: Pipeline, prepared: readonly PreparedJob[]): Promise<void> {
  await changeRows(pipeline, {
    async decide(tx) {
      const alone = await goAlone(tx, pipeline);
      const { blocks, stored } = await completeLinked(tx, pipeline, { prepared, alone });
      return { kind: "rewrite", blocks, numbers: stored };
    },
    settle: async () => {},
  });
}

/** Before the jobs are locked: whether this commit keeps all others off, since strangers hold edges. */
async function goAlone(tx: Tx, { edges }: Pipeline): Promise<boolean> {
  if (!edges.alone()) return false;
  await lockCommits(tx);
  return true;
}

/** Completes the jobs, if the blocks link to their neighbours. `stored`: the numbers of those that are stored, in order. */
async function completeLinked(
  tx: Tx,
  { workerId }: Pipeline,
  { prepared, alone }: { prepared: readonly PreparedJob[]; alone: boolean },
): Promise<{ blocks: EncodedBlock[]; stored: number[] }> {
  const blocks = prepared.map(({ rows }) => rows);
  const completions = prepared.map(({ job, result }) => ({ token: job.token, result }));
  const completing = completion(workerId, completions);
  const look = storedAround(blocks);
  const [held, around] = alone
    ? await sendTogether(tx, [completing, look])
    : await sendTogether(tx, [completing, shareCommits(), lockEdges(blocks), look]).then(
        ([held, , , around]) => [held, around] as const,
      );
  if (held.size < prepared.length) throw new ClaimsLost(held);
  assertLinked(blocks, around);
  const given = new Set(blocks.map(({ number }) => number));
  const stored = around.flatMap(({ number }) => (given.has(number) ? [number] : []));
  return { blocks, stored: stored.sort((a, b) => a - b) };
}

async function commitOneByOne(
  pipeline: Pipeline,
  prepared: PreparedJob[],
  error: unknown,
): Promise<BatchOutcome> {
  const [only] = prepared;
  if (prepared.length === 1 && only !== undefined) return settleFailure(pipeline, { job: only.job, error });
  const outcome: BatchOutcome = { completed: 0, failed: 0, lost: 0 };
  for (const each of prepared) addOutcome(outcome, await commitPrepared(pipeline, [each]));
  return outcome;
}

async function settleFailure(pipeline: Pipeline, { job, error }: FailedJob): Promise<BatchOutcome> {
  if (await isPostponed(pipeline, { job, error })) return { completed: 0, failed: 0, lost: 0 };
  const { baseMs, maxMs } = pipeline.backoff;
  const { attempts } = job;
  const became = await failJob(pipeline.pool, {
    token: job.token,
    message: pipeline.redact(describeError(error)),
    fatal: dispositionOf(error) === "fatal-job",
    unlinked: error instanceof BrokenLinkError,
    maxAttempts: pipeline.maxAttempts,
    delayMs: backoffMs({ attempts, baseMs, maxMs, random: Math.random() }),
    endpoint: blamed(error),
  });
  pipeline.log.warn(
    { err: error, block: job.blockNumber, attempts, became: became ?? "lost" },
    "block failed",
  );
  return { completed: 0, failed: became === null ? 0 : 1, lost: became === null ? 1 : 0 };
}

/** Whether the job waits for its block, which cannot be had yet: no attempt is lost. */
async function isPostponed(pipeline: Pipeline, { job, error }: FailedJob): Promise<boolean> {
  const patience = patienceWith(error);
  if (patience === "none") return false;
  const postponed = await postponeJob(pipeline.pool, {
    token: job.token,
    message: pipeline.redact(describeError(error)),
    onlyAboveFinality: patience === "above finality",
    finalityDepth: pipeline.finalityDepth,
  });
  if (postponed) pipeline.log.info({ err: error, block: job.blockNumber }, "block not there yet");
  return postponed;
}

/**
 * How long what a job met is taken for "not yet": what is not there is waited for, unless something else is there for
 * good. Receipts that do not prove a block may be half indexed, as long as the block is not final.
 */
function patienceWith(error: unknown): "always" | "above finality" | "none" {
  if (dispositionOf(error) === "not-yet") {
    const isReplaced = error instanceof BlockNotFoundError && error.facts.replaced === true;
    return isReplaced ? "above finality" : "always";
  }
  return mayBeReceipts(error) ? "above finality" : "none";
}

function addOutcome(sum: BatchOutcome, more: BatchOutcome): void {
  sum.completed += more.completed;
  sum.failed += more.failed;
  sum.lost += more.lost;
}

const round = (ms: number): number => Math.round(ms * 100) / 100;
