import { setTimeout as sleep } from "node:timers/promises";
import type { BlockRef } from "../block.js";
import type { ChildContext } from "../child/run-child.js";
import { describeError, dispositionOf } from "../errors.js";
import { withLinkedSignal } from "../linked-signal.js";
import {
  type ClaimRequest,
  claimBatch,
  commitBatch,
  learnChain,
  type Pipeline,
  type PreparedBatch,
  type PreparedBlock,
  prepareBatch,
  prepareBlock,
} from "../pipeline/pipeline.js";
import { ReadAhead } from "../pipeline/read-ahead.js";
import { ClaimCursor } from "../queue/claim-cursor.js";
import { giveBack, giveBackUnknown } from "../queue/give-back.js";
import type { ClaimedJob, Token } from "../queue/job.js";
import { byteLength } from "../store/encode-block.js";
import { nextBatchSize } from "./batch-size.js";
import { bytesUnderWay, isKeptWaiting, nextDepth } from "./fetch-depth.js";

export interface WorkOptions {
  pipeline: Pipeline;
  maxBatch: number;
  /** The most blocks that are fetched at the same time. */
  maxDepth: number;
  context: ChildContext;
}

/** A batch whose preparation began before its turn. */
interface Begun {
  jobs: ClaimedJob[];
  batch: Promise<PreparedBatch>;
  /** Ends it soon, with all its jobs unharmed. */
  drop: AbortController;
}

/** The longest wait between two looks at whether what was down is up again. */
const maxWaitMs = 1_000;
/** How long a worker that ends tries to give its claims back, where the database is away. */
const giveBackWithinMs = 3_000;

/** A job that has seen a death must not take others with it: nothing else is in hand while it runs. */
export function mustBeAlone(jobs: readonly ClaimedJob[]): boolean {
  return jobs.some(({ deaths }) => deaths > 0);
}

/** What a worker holds, and the steps of its loop, each of which leaves that account true. */
export class Work {
  readonly #pipeline: Pipeline;
  readonly #maxBatch: number;
  readonly #maxDepth: number;
  readonly #context: ChildContext;
  readonly #cursor = new ClaimCursor();
  readonly #inHand = new Map<number, ClaimedJob>();
  readonly #ahead: ReadAhead<PreparedBlock>;
  readonly #counts = { completed: 0, failed: 0, lost: 0 };
  #batchSize = 1;
  #chainKnown = false;
  /** Jobs that were claimed before their turn, and that `claim` has not handed out. */
  #next: ClaimedJob[] = [];
  /** Their preparation. */
  #begun: Begun | undefined;
  /** The claim of what comes next, before its turn. Never rejects. */
  #claimingNext: Promise<void> = Promise.resolve();
  #isCommitting = false;
  /** When the last batch was prepared, and how busy this process has been until then. */
  #preparedAt = 0;
  #busy = performance.eventLoopUtilization();
  /** Nodes keep this worker waiting, unless it begins the next batch meanwhile. */
  #isKeptWaiting = false;
  /** The last claim got all that it asked for: there may be more. */
  #isPlenty = false;
  /** A claim failed: it may have been made, and its answer lost. */
  #answerLost = false;
  /** Aborts at the next `tryAgain`. */
  #away = new AbortController();

  constructor({ pipeline, maxBatch, maxDepth, context }: WorkOptions) {
    this.#ahead = new ReadAhead({
      prepare: (block, drop) =>
        // In steps: the word of its job comes meanwhile.
        withLinkedSignal([context.stopping, drop], (stop) =>
          prepareBlock(pipeline, block, { stop, inSteps: true }),
        ),
      discard: ({ rows }) => pipeline.encoder.reuse([rows]),
    });
    this.#pipeline = { ...pipeline, ahead: this.#ahead };
    this.#maxBatch = maxBatch;
    this.#maxDepth = maxDepth;
    this.#context = context;
  }

  /** The database answers again: whoever waits for it tries at once. */
  tryAgain(): void {
    this.#away.abort();
    this.#away = new AbortController();
  }

  /** There may be jobs ahead of those that were claimed last. */
  hint(): void {
    this.#cursor.hint();
  }

  /** A block is about to be enqueued: its job may well be the next that this worker is given. */
  announced(block: BlockRef): void {
    const isIdle = this.#chainKnown && this.#inHand.size === 0 && !this.#context.draining.aborted;
    this.#ahead.announced(block, { isIdle });
  }

  /**
   * The jobs whose turn it is: those that were claimed before it, or else what a claim takes now; none: there is
   * nothing to do, or the worker is to end. Where nodes keep it waiting, the next ones are claimed and begun
   * meanwhile: so that one far away keeps it nearly as busy as one nearby.
   */
  async claim(): Promise<ClaimedJob[]> {
    await this.#claimingNext;
    if (this.#context.draining.aborted) return [];
    const next = this.#next;
    this.#next = [];
    const jobs = next.length > 0 ? next : await this.#claimNow();
    // Of what comes after a pause, others are to have their part.
    if (jobs.length === 0) this.#isKeptWaiting = false;
    if (!mustBeAlone(jobs)) this.#claimingNext = this.#claimNext();
    return jobs;
  }

  async #claimNow(): Promise<ClaimedJob[]> {
    if (!this.#chainKnown) this.#chainKnown = await learnChain(this.#pipeline);
    if (this.#answerLost) await this.#giveBackLost();
    const request = this.#request();
    const jobs = await this.#claim(request);
    // Behind the last position there is nothing; there may be something before it.
    return jobs.length === 0 && request.after !== undefined ? this.#claimNow() : jobs;
  }

  /** What `claim` handed out, prepared: it may have begun before. */
  prepare(jobs: ClaimedJob[]): Promise<PreparedBatch> {
    const begun = this.#begun;
    if (begun?.jobs !== jobs) return this.#prepare(jobs, this.#context.stopping);
    this.#begun = undefined;
    return begun.batch;
  }

  /** Commits until the database takes it, or somebody else has the claims: the rows are worth keeping. */
  async commit(batch: PreparedBatch): Promise<void> {
    this.#isCommitting = true;
    try {
      await this.#untilTaken(async () => this.#settled(batch, await commitBatch(this.#pipeline, batch)));
    } finally {
      this.#isCommitting = false;
    }
  }

  /** Claims before its turn what seems to be there, and begins it. */
  async #claimNext(): Promise<void> {
    const { draining, lease } = this.#context;
    if (!this.#isKeptWaiting || !this.#isPlenty || draining.aborted || !lease.holds()) return;
    try {
      this.#next = await this.#claim(this.#request());
      if (mustBeAlone(this.#next)) await this.#giveBackNext();
      else this.#begin();
    } catch {
      // Whoever claims next meets the reason.
    }
  }

  /** A job that must be alone is not held beside others: were they to end this worker, it would count for it as well. */
  async #giveBackNext(): Promise<void> {
    const tokens = this.#next.map(({ token }) => token);
    await giveBack(this.#pipeline.pool, this.#pipeline.workerId, tokens);
    this.#forget(tokens);
    this.#next = [];
    this.#cursor.reset();
  }

  async #claim(request: ClaimRequest): Promise<ClaimedJob[]> {
    const started = performance.now();
    try {
      const jobs = await claimBatch(this.#pipeline, request);
      this.#noteClaim(request, jobs, started);
      return jobs;
    } catch (error) {
      this.#answerLost = true;
      throw error;
    }
  }

  /** Gives back what this worker does not know to have claimed. */
  async #giveBackLost(): Promise<void> {
    const { pool, workerId } = this.#pipeline;
    const jobs = await giveBackUnknown(pool, workerId, this.#tokens());
    this.#answerLost = false;
    if (jobs > 0) this.#context.log.warn({ jobs }, "gave back claims whose answer was lost");
  }

  /** Gives back what is not in `kept`, once nobody works on it any more. */
  async giveBackBut(kept: ClaimedJob[]): Promise<void> {
    await this.#drop();
    const keep = new Set(kept.map(({ token }) => token.id));
    const others = this.#tokens().filter(({ id }) => !keep.has(id));
    await this.#untilTaken(async () => {
      await giveBack(this.#pipeline.pool, this.#pipeline.workerId, others);
      this.#forget(others);
      this.#next = [];
    });
  }

  /** Tries until the database takes it, or this worker is to stop. */
  async #untilTaken(settle: () => Promise<void>): Promise<void> {
    const { stopping } = this.#context;
    for (let attempt = 0; !stopping.aborted; attempt += 1) {
      try {
        await settle();
        return;
      } catch (error) {
        if (dispositionOf(error) === "fatal-process") throw error;
        this.reportWaiting(error);
        await this.pause(attempt);
      }
    }
  }

  /** Gives back everything that is in hand, at the end. */
  async giveBackRest(): Promise<void> {
    const { pool, workerId } = this.#pipeline;
    const { stopping, log } = this.#context;
    this.#ahead.drop();
    await this.#drop();
    const deadline = performance.now() + giveBackWithinMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await giveBack(pool, workerId, this.#tokens());
        if (this.#answerLost) await giveBackUnknown(pool, workerId, []);
        return;
      } catch (error) {
        if (stopping.aborted || performance.now() > deadline) {
          // They are released when this host's lease has fallen, or by timeout_minutes.
          log.warn({ err: error, jobs: this.#inHand.size }, "claims could not be given back");
          return;
        }
      }
      await this.pause(attempt);
    }
  }

  report(state: "idle" | "working" | "waiting" | "draining", reason?: string): void {
    const blocks = [...this.#inHand.values()].slice(0, 20).map(({ blockNumber }) => blockNumber);
    this.#context.report(state, { ...this.#counts, blocks, ...(reason === undefined ? {} : { reason }) });
  }

  reportWaiting(error: unknown): void {
    const reason = this.#context.redact(describeError(error, 300));
    this.#context.log.warn({ reason }, "waiting: nothing is claimed until this is over");
    this.report("waiting", reason);
  }

  /** Waits a random while, the longer the more often; ends at `tryAgain`, and when the worker is to stop. */
  async pause(times: number): Promise<void> {
    const ms = Math.random() * Math.min(maxWaitMs, 50 * 2 ** Math.min(times, 10));
    await withLinkedSignal([this.#context.stopping, this.#away.signal], (signal) =>
      sleep(ms, undefined, { signal }),
    ).catch(() => {});
  }

  #begin(): void {
    const jobs = this.#next;
    if (jobs.length === 0) return;
    const drop = new AbortController();
    const batch = withLinkedSignal([this.#context.stopping, drop.signal], (signal) =>
      this.#prepare(jobs, signal),
    );
    this.#begun = { jobs, batch, drop };
    // Its failure is met by whoever asks for it; until then it must not count as unhandled.
    batch.catch(() => {});
  }

  /** Gives up what was begun before its turn; nothing is being claimed after this. */
  async #drop(): Promise<void> {
    await this.#claimingNext;
    const begun = this.#begun;
    this.#begun = undefined;
    begun?.drop.abort();
    await begun?.batch.catch(() => {});
  }

  async #prepare(jobs: ClaimedJob[], signal: AbortSignal): Promise<PreparedBatch> {
    this.report("working");
    const started = performance.now();
    const batch = await prepareBatch(this.#pipeline, jobs, signal);
    const before = this.#busy;
    this.#busy = performance.eventLoopUtilization();
    const { active, utilization } = performance.eventLoopUtilization(this.#busy, before);
    // Another batch may have been under way for a part of that time.
    const tookMs = performance.now() - Math.max(started, this.#preparedAt);
    this.#preparedAt = performance.now();
    const busyMs = Math.min(active, tookMs);
    const waitMs = Math.min(...batch.prepared.map(({ fetchMs }) => fetchMs));
    const isUsual = batch.prepared.length > 0 && batch.waitFor === undefined;
    this.#isKeptWaiting = isUsual && isKeptWaiting({ busyMs, waitMs });
    const sizes = batch.prepared.map(({ rows }) => byteLength(rows));
    this.#batchSize = nextBatchSize({
      current: this.#batchSize,
      claimed: jobs.length,
      busyMs,
      tookMs,
      utilization,
      rowBytes: mean(sizes),
      max: this.#maxBatch,
    });
    const { slots } = this.#pipeline;
    slots.limit = nextDepth({
      current: slots.limit,
      hadToWait: slots.takeHadToWait(),
      utilization,
      isKeptWaiting: this.#isKeptWaiting,
      isHeldUp: this.#isCommitting,
      blockBytes: mean(batch.prepared.map(({ way }, i) => bytesUnderWay(sizes[i] ?? 0, way))),
      max: this.#maxDepth,
    });
    return batch;
  }

  #request(): ClaimRequest {
    return { limit: this.#batchSize, after: this.#cursor.next(performance.now()) };
  }

  #noteClaim(request: ClaimRequest, jobs: ClaimedJob[], started: number): void {
    const now = performance.now();
    this.#cursor.claimed({ ...request, jobs, now, tookMs: now - started });
    for (const job of jobs) this.#inHand.set(job.token.id, job);
    this.#isPlenty = jobs.length >= request.limit;
  }

  #settled(
    batch: PreparedBatch,
    { completed, failed, lost }: { completed: number; failed: number; lost: number },
  ): void {
    this.#counts.completed += completed;
    this.#counts.failed += failed;
    this.#counts.lost += lost;
    if (lost > 0)
      this.#context.log.warn({ jobs: lost }, "claims were handed on meanwhile; nothing was written for them");
    const jobs = [...batch.prepared, ...batch.failed].map(({ job }) => job);
    this.#forget([...jobs, ...batch.unharmed].map(({ token }) => token));
  }

  /** These claims are settled. The same worker may hold a later claim of the same job, after a reorg. */
  #forget(tokens: readonly Token[]): void {
    for (const { id, claim } of tokens)
      if (this.#inHand.get(id)?.token.claim === claim) this.#inHand.delete(id);
  }

  #tokens(): Token[] {
    return [...this.#inHand.values()].map(({ token }) => token);
  }
}

/** 0 for none. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
}
