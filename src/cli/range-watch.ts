import { setTimeout as sleep } from "node:timers/promises";
import { dispositionOf } from "../errors.js";
import type { RangeProgress } from "../queue/range-progress.js";
import { type ProgressReport, showProgress } from "./progress.js";

export interface WatchOptions {
  from: number;
  to: number;
  before: RangeProgress;
  signal: AbortSignal;
  read(): Promise<RangeProgress>;
}

const pollMs = { first: 50, most: 1_000 };
/** Reading the progress may take so much of the time, ... */
const readShare = 0.1;
/** ... but is not put off for longer: a read that was held up tells nothing of the next one. */
const mostWaitMs = 5_000;
/** The rate is that of the last so many milliseconds. */
const rateWindowMs = 15_000;

/**
 * Shows a range's progress until none of its blocks is left to do (`finished`), or `signal` aborts.
 * A database that is down is waited for.
 */
export async function watchRange(
  options: WatchOptions,
): Promise<{ progress: RangeProgress; finished: boolean }> {
  const { from, to, before, signal } = options;
  const total = to - from + 1;
  const ratePerSecond = createRate(before.stored);
  const display = showProgress(process.stderr, { label: `${from} to ${to}`, total });
  let progress = before;
  let waitMs = pollMs.first;
  try {
    for (;;) {
      const asked = performance.now();
      try {
        progress = await options.read();
      } catch (error) {
        if (dispositionOf(error) !== "wait") throw error;
      }
      const tookMs = performance.now() - asked;
      display.show(reportOf(progress, ratePerSecond(progress.stored)));
      if (isFinished(progress)) return { progress, finished: true };
      if (signal.aborted) return { progress, finished: false };
      waitMs = nextWaitMs(waitMs, tookMs);
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    display.end();
  }
}

/** How long to wait before the next look, after a wait and a read that took so long. */
export function nextWaitMs(waitMs: number, tookMs: number): number {
  return Math.max(Math.min(waitMs * 1.2, pollMs.most), Math.min(tookMs / readShare, mostWaitMs));
}

function isFinished({ ahead, queued, scheduled, rangeCancelled }: RangeProgress): boolean {
  return queued === 0 && scheduled === 0 && (ahead === 0 || rangeCancelled);
}

function reportOf(progress: RangeProgress, perSecond: number): ProgressReport {
  const { ahead, queued, scheduled, stored, failed, cancelled } = progress;
  const left = ahead + queued + scheduled;
  return {
    done: stored + failed + cancelled,
    perSecond,
    secondsLeft: perSecond > 0 ? left / perSecond : null,
    failed,
  };
}

/** Blocks per second over the last while, from how many are stored. */
function createRate(stored: number): (stored: number) => number {
  const samples = [{ at: performance.now(), stored }];
  return (now) => {
    const at = performance.now();
    // The time that the workers take to start is not part of it.
    if (samples.length === 1 && now === stored) samples.pop();
    samples.push({ at, stored: now });
    while (samples.length > 2 && at - (samples[1]?.at ?? at) > rateWindowMs) samples.shift();
    const first = samples[0];
    if (first === undefined || at - first.at < 1) return 0;
    return Math.max(0, ((now - first.stored) * 1_000) / (at - first.at));
  };
}
