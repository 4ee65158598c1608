import type { WorkerBounds } from "../config/workers.js";
import type { Backlog } from "../queue/read-backlog.js";

/** What is seen of the workers at one moment. */
export interface Observation {
  /** Of a monotonic clock, in milliseconds. */
  now: number;
  /** Workers that are wanted at present. */
  workers: number;
  /** Those that hold jobs. */
  busy: number;
  /** Those that wait for the database or the endpoints, or whose requests the endpoints hold back. */
  heldUp: number;
  /** Blocks that were completed since the start. */
  completed: number;
  /** How many of the machine's cores were idle since the last observation. */
  idleCores: number;
  /** How many cores a worker used, on average: 1 when it only computes. */
  coresEach: number;
}

/** A rate is measured for so long, after a new worker had so long to begin. */
const measureMs = 5_000;
const beginMs = 2_000;
/** All workers are busy for so long before another one comes. */
const busyMs = 3_000;
/** Not all workers were busy at any time for so long before one goes; then the next goes sooner. */
const spareMs = 30_000;
const nextSpareMs = 10_000;
/** A number of workers that was no faster than one less is not tried again for so long. */
const ceilingMs = 300_000;
/** A new worker must bring this part of what the others bring each; else it goes again. */
const leastGain = 0.2;
/** So much of what a worker uses must be idle, or another one has nothing to run on. */
const leastRoom = 0.5;
/** So many jobs for each worker are a backlog. */
export const blocksEach = 20;
/** Jobs that wait for so long are one, however few they are. */
const oldMs = 10_000;

/**
 * Decides how many workers there should be. One is added while all are busy, jobs wait, the machine is
 * not, and nothing holds the others up. Whatever the limit is (the node, the disk, the cores), it shows
 * in the rate: a worker that does not raise it is taken away again, and not tried again for minutes.
 */
export class Scaling {
  #bounds: WorkerBounds;
  /** So many are not passed before that time. */
  #ceiling = { workers: Number.POSITIVE_INFINITY, until: 0 };
  #busySince: number | undefined;
  #spare: { since: number; mostBusy: number } | undefined;
  /** From when on the rate of this number of workers is measured, and what was complete then. */
  #mark: { at: number; completed: number } | undefined;
  /** The rate with one worker less, until the new one has been judged. */
  #rateBefore: number | undefined;

  constructor(bounds: WorkerBounds) {
    this.#bounds = bounds;
  }

  /** Other bounds: what was learnt within the old ones is forgotten. */
  rebound(bounds: WorkerBounds): void {
    this.#bounds = bounds;
    this.#ceiling = { workers: Number.POSITIVE_INFINITY, until: 0 };
    this.#startOver();
  }

  /** How many workers there should be. `backlog` is asked for only where it matters: while all are busy. */
  async decide(seen: Observation, backlog: () => Promise<Backlog>): Promise<number> {
    const { now, workers, busy } = seen;
    if (busy < workers) return this.#whileSpare(seen);
    this.#spare = undefined;
    this.#busySince ??= now;
    const rate = this.#measure(seen);
    if (rate === undefined) return workers;
    if (this.#rateBefore !== undefined && rate / this.#rateBefore - 1 < leastGain / (workers - 1)) {
      this.#ceiling = { workers: workers - 1, until: now + ceilingMs };
      this.#startOver();
      return workers - 1;
    }
    this.#rateBefore = undefined;
    if (!this.#mayGrow(seen)) return workers;
    const { pending, oldestMs } = await backlog();
    if (pending < workers * blocksEach && (pending === 0 || oldestMs < oldMs)) return workers;
    this.#startOver();
    this.#rateBefore = rate > 0 ? rate : undefined;
    return workers + 1;
  }

  /** Blocks per millisecond, over the last seconds; undefined: not known yet. */
  #measure({ now, completed }: Observation): number | undefined {
    if (this.#mark === undefined || now < this.#mark.at) {
      this.#mark = { at: this.#mark?.at ?? now + beginMs, completed };
      return undefined;
    }
    const tookMs = now - this.#mark.at;
    if (tookMs < measureMs) return undefined;
    const rate = (completed - this.#mark.completed) / tookMs;
    this.#mark = { at: now, completed };
    return rate;
  }

  #mayGrow({ now, workers, heldUp, idleCores, coresEach }: Observation): boolean {
    const most = now < this.#ceiling.until ? this.#ceiling.workers : this.#bounds.max;
    const isBusy = this.#busySince !== undefined && now - this.#busySince >= busyMs;
    const isRoom = idleCores >= coresEach * leastRoom;
    return isBusy && workers < Math.min(most, this.#bounds.max) && heldUp === 0 && isRoom;
  }

  #whileSpare({ now, workers, busy }: Observation): number {
    // A rate of workers that had nothing to do tells nothing.
    this.#mark = undefined;
    this.#busySince = undefined;
    this.#spare = {
      since: this.#spare?.since ?? now,
      mostBusy: Math.max(this.#spare?.mostBusy ?? 0, busy),
    };
    const { since, mostBusy } = this.#spare;
    if (workers <= Math.max(this.#bounds.min, mostBusy) || now - since < spareMs) return workers;
    this.#startOver();
    this.#spare = { since: now - spareMs + nextSpareMs, mostBusy: busy };
    return workers - 1;
  }

  #startOver(): void {
    this.#rateBefore = undefined;
    this.#mark = undefined;
    this.#busySince = undefined;
    this.#spare = undefined;
  }
}
