import type { Logger } from "../logger.js";
import { type ClaimRequest, claimBatch, learnChain, type Pipeline } from "../pipeline/pipeline.js";
import { ClaimCursor } from "../queue/claim-cursor.js";
import { giveBack, giveBackUnknown } from "../queue/give-back.js";
import type { ClaimedJob, Token } from "../queue/job.js";

/** What a worker takes from the queue and gives back to it, and what it knows of the queue by that. */
export class Claims {
  readonly #pipeline: Pipeline;
  readonly #log: Logger;
  readonly #cursor = new ClaimCursor();
  #isChainKnown = false;
  #isPlenty = false;
  /** A claim failed, which may have been made and its answer lost, or could not be given back. */
  #isAnswerLost = false;

  constructor(pipeline: Pipeline, log: Logger) {
    this.#pipeline = pipeline;
    this.#log = log;
  }

  /** Whether the endpoints were told which chain the schema holds. */
  get isChainKnown(): boolean {
    return this.#isChainKnown;
  }

  /** Whether there are more jobs as far as the last claim tells: it got all that it asked for. */
  get isPlenty(): boolean {
    return this.#isPlenty && !this.#isAnswerLost;
  }

  /** There may be jobs ahead of those that were claimed last. */
  hint(): void {
    this.#cursor.hint();
  }

  /**
   * Claims up to `limit` jobs, wherever in the queue they stand; none: there is nothing to do. Gives back before
   * it what this worker may hold beside `inHand`.
   */
  async claim(limit: number, inHand: readonly Token[]): Promise<ClaimedJob[]> {
    if (!this.#isChainKnown) this.#isChainKnown = await learnChain(this.#pipeline);
    if (this.#isAnswerLost) await this.#giveBackLost(inHand);
    for (;;) {
      const request = this.#request(limit);
      const jobs = await this.#send(request);
      // Behind the last position there is nothing; there may be something before it.
      if (jobs.length > 0 || request.after === undefined) return jobs;
    }
  }

  /** Claims up to `limit` jobs with one statement, behind those that were claimed last. */
  claimNext(limit: number): Promise<ClaimedJob[]> {
    return this.#send(this.#request(limit));
  }

  /** Gives back at once what was just claimed. Where that fails, it goes back before the next `claim`. */
  async putBack(tokens: Token[]): Promise<void> {
    try {
      await giveBack(this.#pipeline.pool, this.#pipeline.workerId, tokens);
    } catch {
      this.#isAnswerLost = true;
    }
    this.#cursor.reset();
    this.#isPlenty = false;
  }

  /** Gives back what is in hand, and what may be beside it. */
  async giveBackAll(inHand: Token[]): Promise<void> {
    await giveBack(this.#pipeline.pool, this.#pipeline.workerId, inHand);
    if (this.#isAnswerLost) await this.#giveBackLost([]);
  }

  async #giveBackLost(inHand: readonly Token[]): Promise<void> {
    const { pool, workerId } = this.#pipeline;
    const jobs = await giveBackUnknown(pool, workerId, inHand);
    this.#isAnswerLost = false;
    if (jobs > 0) this.#log.warn({ jobs }, "gave back claims whose answer was lost");
  }

  #request(limit: number): ClaimRequest {
    return { limit, after: this.#cursor.next(performance.now()) };
  }

  async #send(request: ClaimRequest): Promise<ClaimedJob[]> {
    const started = performance.now();
    try {
      const jobs = await claimBatch(this.#pipeline, request);
      const now = performance.now();
      this.#cursor.claimed({ ...request, jobs, now, tookMs: now - started });
      this.#isPlenty = jobs.length >= request.limit;
      return jobs;
    } catch (error) {
      this.#isAnswerLost = true;
      throw error;
    }
  }
}
