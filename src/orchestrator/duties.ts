import type pg from "pg";
import type { Endpoints } from "../chain/endpoints.js";
import type { Config } from "../config/schema.js";
import type { Log } from "../log.js";
import { archiveJobs } from "../queue/archive.js";
import { nextDueInMs, promoteDue } from "../queue/promote.js";
import { topUpRanges } from "../queue/ranges.js";
import type { ReleasedJob } from "../queue/release.js";
import { sweepLostSupervisors, sweepOverdue, trimFailures } from "../queue/sweep.js";
import { createHeadDuty } from "./head-duty.js";
import type { Duty } from "./run-duties.js";

export interface DutiesContext {
  pool: pg.Pool;
  endpoints: Endpoints;
  config: Config;
  log: Log;
}

/** Jobs that one statement promotes or archives at most: bites that never hold locks for long. */
const biteSize = 1_000;
/** Hints come with every insert; looking is worth it so often at most. */
const afterHintMs = 50;

/** What the leading orchestrator does for everybody who shares the schema. */
export function createDuties({ pool, endpoints, config, log }: DutiesContext): Duty[] {
  const intervalMs = config.pipeline.check_interval * 1_000;
  const limits = {
    maxDeaths: config.pipeline.max_attempts,
    timeoutMs: config.pipeline.timeout_minutes * 60_000,
  };
  const follow = createHeadDuty({ pool, endpoints, config, log });
  let thoroughAt = 0;

  return [
    follow,
    {
      name: "promote due jobs",
      afterHintMs,
      async run() {
        const promoted = await promoteDue(pool, biteSize);
        return promoted === biteSize ? 0 : nextDueInMs(pool);
      },
    },
    {
      name: "top ranges up",
      afterHintMs,
      async run() {
        const { open } = await topUpRanges(pool, config.queue.range_window);
        return open ? 250 : null;
      },
    },
    {
      name: "sweep",
      async run() {
        const thorough = performance.now() >= thoroughAt;
        logReleased(log, await sweepLostSupervisors(pool, { ...limits, thorough }));
        if (thorough) {
          thoroughAt = performance.now() + intervalMs;
          logReleased(log, await sweepOverdue(pool, limits));
          await trimFailures(pool, config.queue.failures_kept);
        }
        return 1_000;
      },
    },
    {
      name: "archive",
      async run() {
        const olderThanMs = config.queue.archive_minutes * 60_000;
        const archived = await archiveJobs(pool, { olderThanMs, limit: biteSize });
        return archived === biteSize ? 0 : Math.min(10_000, Math.max(1_000, olderThanMs / 10));
      },
    },
  ];
}

function logReleased(log: Log, released: ReleasedJob[]): void {
  if (released.length === 0) return;
  const failed = released.filter(({ status }) => status === "failed").length;
  const workers = [...new Set(released.map(({ workerId }) => workerId))];
  log.warn({ jobs: released.length, failed, workers }, "released the claims of lost workers");
}
