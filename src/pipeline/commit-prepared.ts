// The transaction of a batch: its jobs are completed and their rows written, together or not at all.

import type { Endpoints } from "../chain/endpoints.js";
import { maySkip } from "../chain/prove-absence.js";
import { type Statement, sendTogether } from "../db/exchange.js";
import { inTransaction, type Tx } from "../db/pool.js";
import { dispositionOf, MissingPartitionError } from "../errors.js";
import { completion } from "../queue/complete.js";
import type { ClaimedJob } from "../queue/job.js";
import type { JobResult } from "../queue/job-result.js";
import { lockCommits, shareCommits } from "../queue/lock-commits.js";
import { assertLinked, lockEdges, storedAround } from "../store/check-links.js";
import { DerivedRowsError } from "../store/derived-rows-error.js";
import type { EncodedBlock } from "../store/encode-block.js";
import type { Partitions } from "../store/partitions.js";
import { copyBlocks } from "../store/write-blocks.js";
import { changeRows, type Door } from "./change-rows.js";
import { absentAround } from "./complete-absent.js";
import type { EdgeGuard } from "./edge-guard.js";
import type { DecodedBlock, EventTables } from "./event-tables.js";
import { addOutcome, type BatchOutcome, type FailureOptions, settleFailure } from "./settle-failure.js";

/** What batches are committed with, and by whom. */
export interface CommitOptions extends Door, FailureOptions {
  endpoints: Endpoints;
  partitions: Partitions;
  edges: EdgeGuard;
  /** Absent: nothing is decoded, as the configuration names no events. */
  eventTables?: EventTables | undefined;
  workerId: string;
}

/** A block whose rows are ready to be written. */
export interface PreparedBlock {
  rows: EncodedBlock;
  /** How it became rows: src/direct, or step by step. */
  way: "direct" | "long";
  /** Milliseconds that its node took to answer, once it was asked. */
  answerMs: number;
  /** Milliseconds of decoding; undefined: it is in those of encoding. */
  decodeMs?: number;
  /** Its rows in event tables; undefined: it has none yet. */
  decoded?: DecodedBlock | undefined;
  result: JobResult;
}

/** The same, for a job. */
export interface PreparedJob extends PreparedBlock {
  job: ClaimedJob;
}

/**
 * Writes the blocks of jobs and completes the jobs, in one transaction. Jobs whose claim does not hold any more are left
 * out. Where PostgreSQL refuses a block, they are committed one by one, so that only that block fails. Where it refuses rows
 * that follow from theirs (DerivedRowsError), they are committed without those. Throws only errors
 * whose disposition is `wait` or `fatal-process`.
 */
export async function commitPrepared(options: CommitOptions, prepared: PreparedJob[]): Promise<BatchOutcome> {
  if (prepared.length === 0) return { completed: 0, failed: 0, lost: 0 };
  try {
    await options.partitions.prepare(prepared.map(({ job }) => job.blockNumber));
    if (!(await writeNew(options, prepared))) await rewrite(options, prepared);
    await options.eventTables?.refresh();
    for (const { way } of prepared) options.counts?.add("blockmill_blocks_committed_total", [way]);
    return { completed: prepared.length, failed: 0, lost: 0 };
  } catch (error) {
    if (error instanceof DerivedRowsError && options.eventTables !== undefined) {
      const { eventTables, ...without } = options;
      const outcome = await commitPrepared(without, prepared);
      await eventTables.setAside(error);
      return outcome;
    }
    if (error instanceof ClaimsLost) {
      const held = prepared.filter(({ job }) => error.held.has(job.token.id));
      const outcome = await commitPrepared(options, held);
      return { ...outcome, lost: outcome.lost + prepared.length - held.length };
    }
    if (error instanceof MissingPartitionError) options.partitions.forget();
    if (
      await options.edges.isStrangers(
        error,
        prepared.map(({ rows }) => rows),
      )
    )
      return commitPrepared(options, prepared);
    const disposition = dispositionOf(error);
    if (disposition === "wait" || disposition === "fatal-process") throw error;
    return commitOneByOne(options, prepared, error);
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
async function writeNew(options: CommitOptions, prepared: readonly PreparedJob[]): Promise<boolean> {
  try {
    await inTransaction(options.pool, async (tx) => {
      const alone = await goAlone(tx, options);
      const { blocks, stored } = await completeLinked(tx, options, { prepared, alone });
      if (stored.length > 0) throw new AlreadyStored("one of the blocks is stored");
      await sendTogether(tx, [...copyBlocks(blocks), ...following(options, prepared)]);
    });
    return true;
  } catch (error) {
    if (error instanceof AlreadyStored) return false;
    throw error;
  }
}

/** Writes blocks of which some are stored. What the first look saw may have changed: it looks again behind the door. */
async function rewrite(options: CommitOptions, prepared: readonly PreparedJob[]): Promise<void> {
  await changeRows(options, {
    async decide(tx) {
      const alone = await goAlone(tx, options);
      const { blocks, stored } = await completeLinked(tx, options, { prepared, alone });
      return { kind: "rewrite", blocks, numbers: stored, following: following(options, prepared) };
    },
    settle: async () => {},
  });
}

/** What is written behind the blocks' rows. */
function following({ eventTables }: CommitOptions, prepared: readonly PreparedJob[]): Statement<unknown>[] {
  return eventTables?.statements(prepared) ?? [];
}

/** Before the jobs are locked: whether this commit keeps all others off, since strangers hold edges. */
async function goAlone(tx: Tx, { edges }: CommitOptions): Promise<boolean> {
  if (!edges.alone()) return false;
  await lockCommits(tx);
  return true;
}

/** Completes the jobs, if the blocks link to their neighbours. `stored`: the numbers of those that are stored, in order. */
async function completeLinked(
  tx: Tx,
  { workerId, endpoints }: CommitOptions,
  { prepared, alone }: { prepared: readonly PreparedJob[]; alone: boolean },
): Promise<{ blocks: EncodedBlock[]; stored: number[] }> {
  const blocks = prepared.map(({ rows }) => rows);
  const completions = prepared.map(({ job, result }) => ({ token: job.token, result }));
  const completing = completion(workerId, completions);
  const absent = endpoints.all.some(maySkip) ? await absentAround(tx, blocks) : new Set<number>();
  const edges = lockEdges([...blocks, ...[...absent].map((number) => ({ number }))]);
  const look = storedAround(blocks, absent);
  const [held, around] = alone
    ? await sendTogether(tx, [completing, look])
    : await sendTogether(tx, [completing, shareCommits(), edges, look]).then(
        ([held, , , around]) => [held, around] as const,
      );
  if (held.size < prepared.length) throw new ClaimsLost(held);
  assertLinked(blocks, around, absent);
  const given = new Set(blocks.map(({ number }) => number));
  const stored = around.flatMap(({ number }) => (given.has(number) ? [number] : []));
  return { blocks, stored: stored.sort((a, b) => a - b) };
}

async function commitOneByOne(
  options: CommitOptions,
  prepared: PreparedJob[],
  error: unknown,
): Promise<BatchOutcome> {
  const [only] = prepared;
  if (prepared.length === 1 && only !== undefined) return settleFailure(options, { job: only.job, error });
  const outcome: BatchOutcome = { completed: 0, failed: 0, lost: 0 };
  for (const each of prepared) addOutcome(outcome, await commitPrepared(options, [each]));
  return outcome;
}
