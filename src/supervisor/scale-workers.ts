import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { BlockSpan } from "../block.js";
import { mostWorkers } from "../config/workers.js";
import { type Backlog, readBacklog } from "../queue/read-backlog.js";
import type { Child } from "./child.js";
import { blocksEach, type Scaling } from "./scaling.js";

export interface ScaleOptions {
  pool: pg.Pool;
  scaling: Scaling;
  children: ReadonlySet<Child>;
  only: BlockSpan | undefined;
  /** Workers that are wanted; undefined: their number is not to be changed now (a reload is under way). */
  wanted(): number | undefined;
  completed(): number;
  resize(workers: number): Promise<void>;
  signal: AbortSignal;
}

const everyMs = 1_000;
/** As many waiting jobs as Scaling may ask for. */
const backlogLimit = mostWorkers * blocksEach;

/** Adds and drains workers, one at a time, until `signal` aborts. Never rejects. */
export async function scaleWorkers(options: ScaleOptions): Promise<void> {
  const { pool, scaling, children, only, signal } = options;
  const idleCores = watchCores();
  const backlog = (): Promise<Backlog> => readBacklog(pool, { limit: backlogLimit, only });
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(() => {});
    const workers = options.wanted();
    if (workers === undefined || signal.aborted) continue;
    const all = [...children].filter(({ role }) => role === "worker");
    try {
      const decided = await scaling.decide(
        {
          now: performance.now(),
          workers,
          busy: all.filter(({ state }) => state === "working" || state === "waiting").length,
          heldUp: all.filter(({ state, doing }) => state === "waiting" || doing.throttled === true).length,
          completed: options.completed(),
          idleCores: idleCores(),
          coresEach: averageOf(all.map(({ doing }) => doing.cores ?? 0)),
        },
        backlog,
      );
      if (decided !== workers) await options.resize(decided);
    } catch {
      // The database is away, which the lease tells; or a new worker did not become ready, which is logged.
    }
  }
}

function averageOf(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
}

/** A function that returns how many of the machine's cores were idle since it was last called. */
function watchCores(): () => number {
  const read = () =>
    cpus().reduce(
      (sum, { times }) => ({
        idle: sum.idle + times.idle,
        all: sum.all + Object.values(times).reduce((a, b) => a + b, 0),
      }),
      { idle: 0, all: 0 },
    );
  let before = read();
  return () => {
    const now = read();
    const all = now.all - before.all;
    const idle = all > 0 ? ((now.idle - before.idle) / all) * cpus().length : 0;
    before = now;
    return idle;
  };
}
