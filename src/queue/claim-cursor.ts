import type { Position } from "./claim.js";
import type { ClaimedJob } from "./job.js";

/** At least so often a claim looks from the start again. */
const lookAgainMs = 1_000;
/** Looking from the start may take at most this share of the time, when it is slow. */
const share = 20;
/** After a hint it looks from the start at once, though not more often than this. */
const hintMs = 50;

/**
 * Where a worker's next claim begins. While an old transaction holds back vacuum, the claim index keeps
 * the dead entries of every job that was ever at its head, and a claim from the start walks them all. So
 * a claim goes on where the last one ended, and looks from the start now and then, and soon after a
 * hint: it may be of a higher priority, or of a lower block.
 */
export class ClaimCursor {
  #after: Position | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookTookMs = 0;
  #hinted = false;

  hint(): void {
    this.#hinted = true;
  }

  /** What was claimed last is given back: the next claim is to find it. */
  reset(): void {
    this.#after = undefined;
  }

  /** The position to claim behind; undefined: from the start. */
  next(now: number): Position | undefined {
    const sinceLook = now - this.#lookedAt;
    const due = sinceLook >= Math.max(lookAgainMs, share * this.#lookTookMs);
    const asked = this.#hinted && sinceLook >= Math.max(hintMs, this.#lookTookMs);
    return due || asked ? undefined : this.#after;
  }

  /** Notes a claim that began at `after`, asked for `limit` jobs, and took `tookMs`. */
  claimed(claim: {
    after: Position | undefined;
    jobs: readonly ClaimedJob[];
    limit: number;
    now: number;
    tookMs: number;
  }): void {
    const { after, jobs, limit, now, tookMs } = claim;
    if (after === undefined) {
      this.#lookedAt = now;
      this.#lookTookMs = tookMs;
      this.#hinted = false;
    }
    // A claim that got less than it asked for has seen the end of its priority, or a job that goes alone.
    this.#after = jobs.length < limit ? undefined : lastOf(jobs);
  }
}

/** The last in the order of claims: of the lowest priority, the highest block. */
function lastOf(jobs: readonly ClaimedJob[]): Position | undefined {
  const last = jobs.reduce<ClaimedJob | undefined>((a, b) => {
    if (a === undefined || b.priority < a.priority) return b;
    return b.priority === a.priority && b.blockNumber > a.blockNumber ? b : a;
  }, undefined);
  return last === undefined ? undefined : { priority: last.priority, blockNumber: last.blockNumber };
}
