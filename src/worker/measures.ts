import type { Counts } from "../metrics/counts.js";
import type { PreparedJob } from "../pipeline/commit-prepared.js";
import type { ClaimedJob } from "../queue/job.js";
import { byteLength } from "../store/encode-block.js";
import type { Batch } from "./batch.js";

/** What a worker's batches took, stage by stage. */
export class Measures {
  readonly #counts: Counts;
  #isIdle = false;

  constructor(counts: Counts) {
    this.#counts = counts;
  }

  /** The worker found nothing to do: its next claim is one that woke it. */
  idle(): void {
    this.#isIdle = true;
  }

  claimed(jobs: readonly ClaimedJob[]): void {
    const waited = jobs.flatMap(({ waitedMs }) => waitedMs ?? []);
    for (const ms of waited) this.#stage("queue_wait", ms);
    // The newest of them woke it; the others may have been kept back.
    if (this.#isIdle && waited.length > 0)
      this.#counts.observe("blockmill_wake_seconds", [], Math.min(...waited) / 1_000);
    this.#isIdle = false;
  }

  prepared(jobs: readonly PreparedJob[]): void {
    for (const { result, decodeMs } of jobs) {
      this.#stage("fetch", result.fetch_ms);
      this.#stage("verify", result.verify_ms);
      if (decodeMs !== undefined) this.#stage("decode", decodeMs);
      this.#stage("encode", result.encode_ms - (decodeMs ?? 0));
    }
  }

  /** Returns what is to be called when the batch, whose commit begins now, is committed. */
  async commit(batch: Batch): Promise<() => void> {
    const { prepared } = await batch.begin().done;
    // Before the commit: after it their memory is used again.
    const bytes = prepared.reduce((sum, { rows }) => sum + byteLength(rows), 0);
    const begun = performance.now();
    return () => {
      if (prepared.length === 0) return;
      const now = performance.now();
      this.#stage("database_wait", begun - (batch.preparedAt ?? begun));
      this.#stage("commit", now - begun);
      this.#counts.observe("blockmill_commit_blocks", [], prepared.length);
      this.#counts.observe("blockmill_commit_bytes", [], bytes);
      for (const { job } of prepared) {
        // Fetched by its hash: it is one near the head.
        if (job.blockHash === null || job.waitedMs === null) continue;
        const tookMs = job.waitedMs + now - batch.claimedAt;
        this.#counts.observe("blockmill_head_latency_seconds", [], tookMs / 1_000);
      }
    };
  }

  #stage(stage: string, ms: number): void {
    this.#counts.observe("blockmill_stage_seconds", [stage], Math.max(0, ms) / 1_000);
  }
}
