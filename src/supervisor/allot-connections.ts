import type { Config } from "../config/schema.js";
import { type WorkerBounds, workerBounds } from "../config/workers.js";
import { ConfigError } from "../errors.js";

/** Of one process's pool: what PoolOptions asks for. */
export interface PoolShare {
  min: number;
  max: number;
  /** Whether one connection more may be opened for a moment, to look for a statement whose answer does not come. */
  looks: boolean;
}

export interface Allotment {
  /** How many workers there may be. */
  workers: WorkerBounds;
  /** Of the pool of each worker, beside its listening connection. */
  worker: PoolShare;
  orchestrator: PoolShare;
  supervisor: PoolShare;
}

// Connections outside the pools: the supervisor's lease; the orchestrator's leadership and its listener;
// each worker's listener.
const supervisorFixed = 1;
const orchestratorFixed = 2;
const workerFixed = 1;
/** The orchestrator follows heads on one connection while its duties use another. */
const orchestratorPool = 2;
/** A worker claims on one connection while it commits on another; more would stand idle. */
const workerMost = 2;

/** The most connections that one process of this role opens. */
export function connectionsOf(role: Exclude<keyof Allotment, "workers">, allotment: Allotment): number {
  const fixed = { worker: workerFixed, orchestrator: orchestratorFixed, supervisor: supervisorFixed };
  const { max, looks } = allotment[role];
  return fixed[role] + max + (looks ? 1 : 0);
}

/**
 * Divides the daemon's connections among its processes, so that all of them together never open more
 * than database.pool_size + database.max_overflow, however many workers there are at the moment. `auto`
 * means no more workers than that suffices for. Where it is scarce, nobody looks for statements whose answer
 * does not come: that takes a connection more. Throws a ConfigError when it is too few for everybody to
 * work at all.
 */
export function allotConnections(config: Config): Allotment {
  const { pool_size: poolSize, max_overflow: maxOverflow } = config.database;
  const total = poolSize + maxOverflow;
  const workers = boundsOf(config, total);
  const needed = neededFor(workers.max);
  if (total < needed) {
    throw new ConfigError(
      `database.pool_size + database.max_overflow: expected at least ${needed} for ${workers.max} workers ` +
        `(2 each, and 6 for the daemon), got ${poolSize} + ${maxOverflow}`,
      { key: "database.pool_size", needed },
    );
  }
  // One for each process: the workers, the orchestrator and the supervisor.
  const forLooks = workers.max + 2;
  const looks = total >= needed + forLooks;
  const reserved = looks ? forLooks : 0;
  const share = (connections: number) =>
    1 + Math.max(0, Math.floor((connections - needed - reserved) / workers.max));
  const max = Math.min(workerMost, share(total));
  return {
    workers,
    worker: { min: poolSize < needed ? 0 : Math.min(max, share(poolSize)), max, looks },
    orchestrator: { min: 0, max: orchestratorPool, looks },
    supervisor: { min: 0, max: 1, looks },
  };
}

function neededFor(workers: number): number {
  return supervisorFixed + 1 + orchestratorFixed + orchestratorPool + workers * (workerFixed + 1);
}

function boundsOf({ pipeline }: Config, connections: number): WorkerBounds {
  const bounds = workerBounds(pipeline.workers) ?? { min: 1, max: 1 };
  if (pipeline.workers !== "auto") return bounds;
  const fitting = Math.floor((connections - neededFor(0)) / (workerFixed + 1));
  return { min: bounds.min, max: Math.max(bounds.min, Math.min(bounds.max, fitting)) };
}
