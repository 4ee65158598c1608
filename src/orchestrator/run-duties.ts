import { setTimeout as sleep } from "node:timers/promises";
import { withLinkedSignal } from "../linked-signal.js";

/** Something that is done again and again. */
export interface Duty {
  name: string;
  /** Does it once. Returns the milliseconds until it is due again. `signal`: aborts when it is somebody else's. */
  run(signal?: AbortSignal): Promise<number>;
  /** Also due after a hint, though not more often than this. */
  afterHintMs?: number;
}

export interface DutiesOptions {
  duties: Duty[];
  signal: AbortSignal;
  onError(duty: Duty, error: unknown): void;
}

/** How long a duty leaves the processor to others after a hint. */
const giveWayMs = 10;
/** How long a duty that failed waits. */
const afterErrorMs = 1_000;

/**
 * Does each duty when it is due, one after the other, until `signal` aborts. `hint` makes those that
 * look after hints due early.
 */
export function runDuties({ duties, signal, onError }: DutiesOptions): { done: Promise<void>; hint(): void } {
  const plans = duties.map((duty) => ({ duty, dueAt: 0, lastRun: Number.NEGATIVE_INFINITY }));
  let rouse = new AbortController();

  const hint = (): void => {
    for (const plan of plans) {
      const { afterHintMs } = plan.duty;
      if (afterHintMs === undefined) continue;
      // Not at once: the workers that were woken as well come first.
      const soon = Math.max(performance.now() + giveWayMs, plan.lastRun + afterHintMs);
      plan.dueAt = Math.min(plan.dueAt, soon);
    }
    rouse.abort();
  };

  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      rouse = new AbortController();
      const next = plans.reduce((a, b) => (b.dueAt < a.dueAt ? b : a));
      const waitMs = next.dueAt - performance.now();
      if (waitMs > 0) {
        // A timer holds at most 2^31 - 1 ms.
        await withLinkedSignal([signal, rouse.signal], (either) =>
          sleep(Math.min(waitMs, 86_400_000), undefined, { signal: either }),
        ).catch(() => {});
        continue;
      }
      next.lastRun = performance.now();
      // Due again only by what the run returns, or by a hint that comes while it runs.
      next.dueAt = Number.POSITIVE_INFINITY;
      const inMs = await next.duty.run(signal).catch((error: unknown) => {
        onError(next.duty, error);
        return afterErrorMs;
      });
      next.dueAt = Math.min(next.dueAt, performance.now() + inMs);
    }
  };
  return { done: plans.length === 0 ? Promise.resolve() : loop(), hint };
}
