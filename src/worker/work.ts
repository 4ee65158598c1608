import type { BlockRef } from "../block.js";
import type { ChildContext } from "../child/run-child.js";
import { describeError, dispositionOf } from "../errors.js";
import { withLinkedSignal } from "../linked-signal.js";
import type { PreparedBlock } from "../pipeline/commit-prepared.js";
import { type Pipeline, type PreparedBatch, prepareBlock } from "../pipeline/pipeline.js";
import { ReadAhead } from "../pipeline/read-ahead.js";
import type { BatchOutcome } from "../pipeline/settle-failure.js";
import type { ClaimedJob, Token } from "../queue/job.js";
import { Batch, type Stage } from "./batch.js";
import { Claims } from "./claims.js";
import { Measures } from "./measures.js";
import { Pace } from "./pace.js";
import type { Patience } from "./patience.js";

export interface WorkOptions {
  pipeline: Pipeline;
  /** The largest batch, in jobs. */
  maxBatch: number;
  /** The most blocks that are fetched at the same time. */
  maxDepth: number;
  patience: Patience;
  context: ChildContext<"worker">;
}

/** How long a worker that ends tries to give its claims back, where the database is away. */
const giveBackWithinMs = 3_000;
/** So many blocks in hand are told of. */
const mostTold = 20;

/** What a worker has in hand, and the steps of its loop, each of which leaves that account true. */
export class Work {
  readonly #pipeline: Pipeline;
  readonly #context: ChildContext<"worker">;
  readonly #patience: Patience;
  readonly #pace: Pace;
  readonly #claims: Claims;
  readonly #measures: Measures;
  readonly #ahead: ReadAhead<PreparedBlock>;
  /** Every batch that was claimed and is not settled, the oldest first. */
  readonly #inHand = new Set<Batch>();
  /** Those of them that were claimed before their turn, and that `claim` has not handed out. */
  readonly #next: Batch[] = [];
  /** The claims before their turn. Never rejects. */
  #claimingNext: Promise<void> = Promise.resolve();
  readonly #counts: BatchOutcome = { completed: 0, failed: 0, lost: 0 };

  constructor({ pipeline, maxBatch, maxDepth, patience, context }: WorkOptions) {
    this.#ahead = new ReadAhead({
      prepare: (block, drop) =>
        // In steps: the word of its job comes meanwhile.
        withLinkedSignal([context.stopping, drop], (stop) =>
          prepareBlock(pipeline, block, { stop, inSteps: true }),
        ),
      discard: ({ rows }) => pipeline.encoder.reuse([rows]),
    });
    this.#pipeline = { ...pipeline, ahead: this.#ahead };
    this.#context = context;
    this.#patience = patience;
    this.#pace = new Pace({ slots: pipeline.slots, maxBatch, maxDepth });
    this.#claims = new Claims(pipeline, context.log);
    this.#measures = new Measures(context.counts);
  }

  /** There may be jobs ahead of those that were claimed last. */
  hint(): void {
    this.#claims.hint();
  }

  /** A block is about to be enqueued: its job may well be the next that this worker is given. */
  announced(block: BlockRef): void {
    const isIdle = this.#claims.isChainKnown && this.#inHand.size === 0 && !this.#context.draining.aborted;
    this.#ahead.announced(block, { isIdle });
  }

  /** Whether there are batches that were claimed before their turn. */
  get hasBegun(): boolean {
    return this.#next.length > 0;
  }

  /**
   * The batch whose turn it is: one that was claimed before it, or else what a claim takes now; undefined: there is
   * nothing to do, or the worker is to end. Its preparation begins at once, unless it must be alone. Where nodes keep
   * the worker waiting, the next batches are claimed and begun meanwhile: so a distant node keeps it nearly as busy as
   * a near one.
   */
  async claim(): Promise<Batch | undefined> {
    if (this.#next.length === 0) await this.#claimingNext;
    if (this.#context.draining.aborted) return undefined;
    const batch =
      this.#next.shift() ?? this.#take(await this.#claims.claim(this.#pace.batchSize, this.#tokens()));
    if (batch === undefined) {
      this.#pace.paused();
      return undefined;
    }
    if (batch.mustBeAlone) return batch;
    this.#begin(batch);
    this.#claimingNext = this.#claimingNext.then(() => this.#claimNext());
    return batch;
  }

  /** Waits until a batch that `claim` handed out is prepared. */
  async prepare(batch: Batch): Promise<PreparedBatch> {
    const { begunAt, done } = this.#begin(batch);
    const prepared = await done;
    batch.preparedAt = performance.now();
    this.#measures.prepared(prepared.prepared);
    this.#pace.prepared(prepared, { claimed: batch.jobs.length, begunAt });
    return prepared;
  }

  /** Commits until the database takes it, or somebody else has the claims: the rows are worth keeping. */
  async commit(batch: Batch): Promise<void> {
    const { stopping } = this.#context;
    for (let attempt = 0; !stopping.aborted; attempt += 1) {
      try {
        const committed = await this.#measures.commit(batch);
        this.#settled(batch, await batch.commit());
        committed();
        return;
      } catch (error) {
        if (dispositionOf(error) === "fatal-process") throw error;
        this.reportWaiting(error);
        await this.#patience.wait(attempt);
      }
    }
  }

  /** Gives back everything that is in hand, at the end. */
  async giveBackRest(): Promise<void> {
    const { stopping, log } = this.#context;
    this.#ahead.drop();
    await this.#claimingNext;
    await Promise.all([...this.#inHand].map((batch) => batch.drop()));
    const deadline = performance.now() + giveBackWithinMs;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#claims.giveBackAll(this.#tokens());
        return;
      } catch (error) {
        if (stopping.aborted || performance.now() > deadline) {
          // They are released when this host's lease has fallen, or by timeout_minutes.
          log.warn({ err: error, jobs: this.#jobs().length }, "claims could not be given back");
          return;
        }
      }
      await this.#patience.wait(attempt);
    }
  }

  report(state: "idle" | "working" | "waiting" | "draining", reason?: string): void {
    if (state === "idle") this.#measures.idle();
    this.#context.report(state, { ...this.#counts, ...(reason === undefined ? {} : { reason }) });
  }

  /** The first of the blocks in hand at this moment, and the stage of each. */
  inHand(): { blocks: number[]; stages: Stage[] } {
    const first = [...this.#inHand]
      .flatMap(({ jobs, stage }) => jobs.map(({ blockNumber }) => ({ blockNumber, stage })))
      .slice(0, mostTold);
    return { blocks: first.map(({ blockNumber }) => blockNumber), stages: first.map(({ stage }) => stage) };
  }

  reportWaiting(error: unknown): void {
    const reason = this.#context.redact(describeError(error, 300));
    this.#context.log.warn({ reason }, "waiting: nothing is claimed until this is over");
    this.report("waiting", reason);
  }

  /** Claims batches before their turn, and begins them, until all slots are used. */
  async #claimNext(): Promise<void> {
    while (this.#isToClaimNext()) {
      let jobs: ClaimedJob[];
      try {
        jobs = await this.#claims.claimNext(this.#pace.batchSize);
      } catch {
        // Whoever claims next meets the reason.
        return;
      }
      const batch = this.#take(jobs);
      if (batch === undefined) return;
      // It is not held beside others: were they to end this worker, it would count for it as well.
      if (batch.mustBeAlone) return this.#putBack(batch);
      if (!this.#context.draining.aborted) this.#begin(batch);
      this.#next.push(batch);
    }
  }

  /**
   * Always one more batch, and further ones until the blocks that are fetched match the node's latency. Where the
   * database is slower than the node, blocks that are prepared must not pile up.
   */
  #isToClaimNext(): boolean {
    const { draining, lease } = this.#context;
    const { wanted, limit } = this.#pipeline.slots;
    const isRoom =
      this.#next.length === 0 || (wanted < limit && this.#jobs().length <= limit + this.#pace.batchSize);
    return this.#pace.isKeptWaiting && isRoom && this.#claims.isPlenty && !draining.aborted && lease.holds();
  }

  /** Takes claimed jobs in hand, as one batch. */
  #take(jobs: ClaimedJob[]): Batch | undefined {
    if (jobs.length === 0) return undefined;
    this.#measures.claimed(jobs);
    const batch = new Batch(this.#pipeline, jobs, this.#context.stopping);
    this.#inHand.add(batch);
    return batch;
  }

  #begin(batch: Batch): ReturnType<Batch["begin"]> {
    if (!batch.hasBegun) this.report("working");
    return batch.begin();
  }

  async #putBack(batch: Batch): Promise<void> {
    await this.#claims.putBack(batch.tokens);
    this.#inHand.delete(batch);
  }

  #settled(batch: Batch, { completed, failed, lost }: BatchOutcome): void {
    this.#counts.completed += completed;
    this.#counts.failed += failed;
    this.#counts.lost += lost;
    if (lost > 0) this.#context.counts.add("blockmill_claims_lost_total", [], lost);
    if (lost > 0)
      this.#context.log.warn({ jobs: lost }, "claims were handed on meanwhile; nothing was written for them");
    this.#inHand.delete(batch);
  }

  #jobs(): ClaimedJob[] {
    return [...this.#inHand].flatMap(({ jobs }) => jobs);
  }

  #tokens(): Token[] {
    return this.#jobs().map(({ token }) => token);
  }
}
