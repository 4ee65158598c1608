import { withLinkedSignal } from "../linked-signal.js";
import { commitBatch, type Pipeline, type PreparedBatch, prepareBatch } from "../pipeline/pipeline.js";
import type { BatchOutcome } from "../pipeline/settle-failure.js";
import type { ClaimedJob, Token } from "../queue/job.js";

/** A batch on its way to rows. */
interface Preparation {
  /** By performance.now(). */
  begunAt: number;
  /** Rejects only where the process is broken: what befalls a job is in it. */
  done: Promise<PreparedBatch>;
}

/** Where a batch is: `wait` until a slot or its turn comes, `fetch` (and prove, decode, encode), or `commit`. */
export type Stage = "wait" | "fetch" | "commit";

/** The jobs of one claim: what they are, what they are being turned into, and how they end. */
export class Batch {
  readonly jobs: readonly ClaimedJob[];
  /** When it was claimed, and when it was handed out prepared, by performance.now(). */
  readonly claimedAt = performance.now();
  preparedAt: number | undefined;
  #isCommitting = false;
  readonly #pipeline: Pipeline;
  /** Aborts when the worker is to stop. */
  readonly #stopping: AbortSignal;
  readonly #drop = new AbortController();
  #preparation: Preparation | undefined;

  constructor(pipeline: Pipeline, jobs: readonly ClaimedJob[], stopping: AbortSignal) {
    this.#pipeline = pipeline;
    this.jobs = jobs;
    this.#stopping = stopping;
  }

  get tokens(): Token[] {
    return this.jobs.map(({ token }) => token);
  }

  /** A job that has seen a worker die must not take others with it: nothing else is in hand while it runs. */
  get mustBeAlone(): boolean {
    return this.jobs.some(({ deaths }) => deaths > 0);
  }

  get hasBegun(): boolean {
    return this.#preparation !== undefined;
  }

  get stage(): Stage {
    if (this.#isCommitting) return "commit";
    return this.hasBegun && this.preparedAt === undefined ? "fetch" : "wait";
  }

  /** Begins to prepare it, unless it has begun. */
  begin(): Preparation {
    this.#preparation ??= { begunAt: performance.now(), done: this.#prepare() };
    return this.#preparation;
  }

  /** Ends its preparation, with all jobs that are not prepared unharmed. Resolves when nothing of it runs any more. */
  async drop(): Promise<void> {
    this.#drop.abort();
    await Promise.allSettled([this.#preparation?.done]);
  }

  /** Settles its jobs, as `commitBatch` promises. What throws leaves them as they were, and may be tried again. */
  async commit(): Promise<BatchOutcome> {
    const prepared = await this.begin().done;
    this.#isCommitting = true;
    return commitBatch(this.#pipeline, prepared);
  }

  #prepare(): Promise<PreparedBatch> {
    const prepared = withLinkedSignal([this.#stopping, this.#drop.signal], (signal) =>
      prepareBatch(this.#pipeline, this.jobs, signal),
    );
    // Whoever asks for the rows meets the failure; until then it must not count as unhandled.
    prepared.catch(() => {});
    return prepared;
  }
}
