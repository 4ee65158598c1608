import type { FetchSlots } from "../pipeline/fetch-slots.js";
import type { PreparedBatch } from "../pipeline/pipeline.js";
import { byteLength } from "../store/encode-block.js";
import { nextBatchSize } from "./batch-size.js";
import { bytesUnderWay, FetchDepth, isKeptWaiting } from "./fetch-depth.js";

/** The weight of the newest batch in the mean of how long this process computes for a block. */
const weightOfNewest = 0.25;

export interface PaceOptions {
  slots: FetchSlots;
  /** The largest batch, in jobs. */
  maxBatch: number;
  /** The most blocks that are fetched at the same time. */
  maxDepth: number;
  /** Milliseconds, from any start. */
  now?: () => number;
  /** Milliseconds that this process has computed since the last call. */
  busySince?: () => number;
}

/**
 * How fast a worker goes: how many jobs it claims at once, how many blocks it fetches at once, and whether it begins
 * batches before their turn. All three follow from the batches that it has prepared.
 */
export class Pace {
  readonly #maxBatch: number;
  readonly #depth: FetchDepth;
  readonly #now: () => number;
  readonly #busySince: () => number;
  #batchSize = 1;
  #isKeptWaiting = false;
  /** When the last batch was handed out prepared. */
  #preparedAt = 0;
  /** How long this process computes for a block, in milliseconds; 0: not known. */
  #busyPerBlock = 0;

  constructor({
    slots,
    maxBatch,
    maxDepth,
    now = () => performance.now(),
    busySince = measureBusy(),
  }: PaceOptions) {
    this.#maxBatch = maxBatch;
    this.#depth = new FetchDepth({ slots, max: maxDepth, now: now() });
    this.#now = now;
    this.#busySince = busySince;
  }

  /** How many jobs to claim next. */
  get batchSize(): number {
    return this.#batchSize;
  }

  /** Nodes keep this worker waiting, unless it begins the next batches meanwhile. */
  get isKeptWaiting(): boolean {
    return this.#isKeptWaiting;
  }

  /** A pause says nothing about the node's latency: forgets the estimate, and lets other workers share what comes next. */
  paused(): void {
    this.#isKeptWaiting = false;
    this.#depth.begin(this.#now());
  }

  /** A batch of `claimed` jobs, whose preparation began at `begunAt`, has been prepared in its turn. */
  prepared({ prepared, waitFor }: PreparedBatch, { claimed, begunAt }: { claimed: number; begunAt: number }) {
    const now = this.#now();
    // Before that, the processor was another batch's.
    const tookMs = now - Math.max(begunAt, this.#preparedAt);
    this.#preparedAt = now;
    const busyMs = Math.min(this.#busySince(), tookMs);
    if (prepared.length === 0 || waitFor !== undefined) {
      this.paused();
      return;
    }
    // A mean, since of two batches that come at the same time the first one would seem to take all of the time.
    const weight = this.#busyPerBlock === 0 ? 1 : weightOfNewest;
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
}

function measureBusy(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { active } = performance.eventLoopUtilization(now, before);
    before = now;
    return active;
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((all, each) => all + each, 0);
}
