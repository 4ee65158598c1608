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
import { bytesUnderWay, FetchDepth, isKeptWaiting } from "./fetch-depth.js";

export interface WorkOptions {
  pipeline: Pipeline;
  maxBatch: number;
  /** The most blocks that are fetched at the same time. */
  maxDepth: number;
  context: ChildContext;
}

/** A batch that is being prepared. */
interface Begun {
  /** By performance.now(). */
  at: number;
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
  readonly #depth: FetchDepth;
  readonly #context: ChildContext;
  readonly #cursor = new ClaimCursor();
  readonly #inHand = new Map<number, ClaimedJob>();
  readonly #ahead: ReadAhead<PreparedBlock>;
  readonly #counts = { completed: 0, failed: 0, lost: 0 };
  #batchSize = 1;
  #chainKnown = false;
  /** Batches that were claimed before their turn, and that `claim` has not handed out. */
  #next: ClaimedJob[][] = [];
  /** What has begun of what was claimed, until `prepare` hands it out. */
  readonly #begun = new Map<ClaimedJob[], Begun>();
  /** The claims before their turn. Never rejects. */
  #claimingNext: Promise<void> = Promise.resolve();
  /** When the last batch was handed out prepared, and how busy this process has been until then. */
  #preparedAt = 0;
  #busy = performance.eventLoopUtilization();
  /** How long this process computes for a block, in milliseconds; 0: not known. */
  #busyPerBlock = 0;
  /** Nodes keep this worker waiting, unless it begins the next batches meanwhile. */
  #isKeptWaiting = false;
  /** The last claim got all that it asked for: there may be more. */
  #isPlenty = false;
  /** A claim failed, which may have been made and its answer lost, or could not be given back. */
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
    this.#depth = new FetchDepth({ slots: pipeline.slots, max: maxDepth, now: performance.now() });
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
   * nothing to do, or the worker is to end. They are begun at once, unless they must be alone. Where nodes keep the
   * worker waiting, the next ones are claimed and begun meanwhile: so that one far away keeps it nearly as busy as one nearby.
   */
  async claim(): Promise<ClaimedJob[]> {
    if (this.#next.length === 0) await this.#claimingNext;
    if (this.#context.draining.aborted) return [];
    const jobs = this.#next.shift() ?? (await this.#claimNow());
    if (jobs.length === 0) this.#pauses();
    if (jobs.length === 0 || mustBeAlone(jobs)) return jobs;
    if (!this.#begun.has(jobs)) this.#begin(jobs);
    this.#claimingNext = this.#claimingNext.then(() => this.#claimNext());
    return jobs;
  }

  /** There are batches that were claimed before their turn. */
  get hasBegun(): boolean {
    return this.#next.length > 0;
  }

  /** What is seen of a pause tells nothing of the node; and of what comes after it, others are to have their part. */
  #pauses(): void {
    this.#isKeptWaiting = false;
    this.#depth.begin(performance.now());
  }

  async #claimNow(): Promise<ClaimedJob[]> {
    if (!this.#chainKnown) this.#chainKnown = await learnChain(this.#pipeline);
    if (this.#answerLost) await this.#giveBackLost();
    const request = this.#request();
    const jobs = await this.#claim(request);
    // Behind the last position there is nothing; there may be something before it.
    return jobs.length === 0 && request.after !== undefined ? this.#claimNow() : jobs;
  }

  /** What `claim` handed out, prepared. */
  async prepare(jobs: ClaimedJob[]): Promise<PreparedBatch> {
    const begun = this.#begun.get(jobs) ?? this.#begin(jobs);
    const batch = await begun.batch;
    this.#begun.delete(jobs);
    this.#learn(batch, jobs.length, begun.at);
    return batch;
  }

  /** Commits until the database takes it, or somebody else has the claims: the rows are worth keeping. */
  async commit(batch: PreparedBatch): Promise<void> {
    await this.#untilTaken(async () => this.#settled(batch, await commitBatch(this.#pipeline, batch)));
  }

  /** Claims before their turn, and begins, as many batches as it takes to have all slots used. */
  async #claimNext(): Promise<void> {
    while (this.#isToClaimNext()) {
      let jobs: ClaimedJob[];
      try {
        jobs = await this.#claim(this.#request());
      } catch {
        // Whoever claims next meets the reason.
        return;
      }
      if (jobs.length === 0) return;
      if (mustBeAlone(jobs)) return this.#giveBackNext(jobs);
      if (!this.#context.draining.aborted) this.#begin(jobs);
      this.#next.push(jobs);
    }
  }

  #isToClaimNext(): boolean {
    const { draining, lease } = this.#context;
    const { wanted, limit } = this.#pipeline.slots;
    const isSure = this.#isPlenty && !this.#answerLost && !draining.aborted && lease.holds();
    // One batch further in any case, and more where a batch is small for the node's distance. Where the database is
    // slower than the node, blocks that are prepared must not pile up.
    const isRoom =
      this.#next.length === 0 || (wanted < limit && this.#inHand.size <= limit + this.#batchSize);
    return this.#isKeptWaiting && isRoom && isSure;
  }

  /** A job that must be alone is not held beside others: were they to end this worker, it would count for it as well. */
  async #giveBackNext(jobs: ClaimedJob[]): Promise<void> {
    const tokens = jobs.map(({ token }) => token);
    try {
      await giveBack(this.#pipeline.pool, this.#pipeline.workerId, tokens);
    } catch {
      // It goes back before the next claim that is in its turn.
      this.#answerLost = true;
    }
    this.#forget(tokens);
    this.#cursor.reset();
    this.#isPlenty = false;
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

  #begin(jobs: ClaimedJob[]): Begun {
    this.report("working");
    const drop = new AbortController();
    const batch = withLinkedSignal([this.#context.stopping, drop.signal], (signal) =>
      prepareBatch(this.#pipeline, jobs, signal),
    );
    // Its failure is met by whoever asks for it; until then it must not count as unhandled.
    batch.catch(() => {});
    const begun = { at: performance.now(), batch, drop };
    this.#begun.set(jobs, begun);
    return begun;
  }

  /** Gives up what was begun; nothing is being claimed after this. */
  async #drop(): Promise<void> {
    await this.#claimingNext;
    const all = [...this.#begun.values()];
    this.#begun.clear();
    for (const { drop } of all) drop.abort();
    await Promise.allSettled(all.map(({ batch }) => batch));
  }

  /** What a batch tells of how large the next ones should be, and how many blocks should be on their way. */
  #learn({ prepared, waitFor }: PreparedBatch, claimed: number, begunAt: number): void {
    const before = this.#busy;
    this.#busy = performance.eventLoopUtilization();
    const { active } = performance.eventLoopUtilization(this.#busy, before);
    const now = performance.now();
    // Other batches may have been under way for a part of that time.
    const tookMs = now - Math.max(begunAt, this.#preparedAt);
    this.#preparedAt = now;
    const busyMs = Math.min(active, tookMs);
    if (prepared.length === 0 || waitFor !== undefined) {
      this.#pauses();
      return;
    }
    // Of two batches that come at the same time, the first one would seem to take all of the time.
    const weight = this.#busyPerBlock === 0 ? 1 : 0.25;
    this.#busyPerBlock += (busyMs / claimed - this.#busyPerBlock) * weight;
    const waitMs = Math.min(...prepared.map(({ answerMs }) => answerMs));
    this.#isKeptWaiting = isKeptWaiting({ busyMs: this.#busyPerBlock * claimed, waitMs });
    const sizes = prepared.map(({ rows }) => byteLength(rows));
    this.#batchSize = nextBatchSize({
      current: this.#batchSize,
      claimed,
      busyMs,
      tookMs,
      rowBytes: sum(sizes) / sizes.length,
      max: this.#maxBatch,
    });
    const bytes = sum(prepared.map(({ way }, i) => bytesUnderWay(sizes[i] ?? 0, way)));
    this.#depth.prepared({ blocks: prepared.length, bytes, waitMs, now });
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

function sum(values: readonly number[]): number {
  return values.reduce((all, each) => all + each, 0);
}
