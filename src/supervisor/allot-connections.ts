import { childRoles, type ProcessRole, type RoleRow, roleRow, wantedRoles } from "../child/roles.js";
import type { Config } from "../config/schema.js";
import { type WorkerBounds, workerBounds } from "../config/workers.js";
import { ConfigError } from "../errors.js";
import { plural } from "../wording.js";

/** Of one process's pool: what PoolOptions asks for. */
export interface PoolShare {
  min: number;
  max: number;
  /** Whether one connection more may be opened for a moment, to look for a statement whose answer does not come. */
  looks: boolean;
}

/** The pool of each process of a role, beside its other connections. */
export interface Allotment extends Record<ProcessRole, PoolShare> {
  /** How many workers there may be. */
  workers: WorkerBounds;
}

/** Beside its pool it has the lease. */
const supervisorConnections: RoleRow["connections"] = { besidePool: 1, pool: { least: 1, most: 1 } };

/** The most connections that one process of this role opens. */
export function connectionsOf(role: ProcessRole, allotment: Allotment): number {
  const { max, looks } = allotment[role];
  return rowOf(role).besidePool + max + (looks ? 1 : 0);
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
  const neededFor = neededBy(config);
  const needed = neededFor(workers.max);
  if (total < needed) {
    throw new ConfigError(
      `database.pool_size + database.max_overflow: expected at least ${needed} for ${plural(workers.max, "worker")} ` +
        `(${neededFor(1) - neededFor(0)} each, and ${neededFor(0)} for the daemon), got ${poolSize} + ${maxOverflow}`,
      { key: "database.pool_size", needed },
    );
  }
  const forLooks = 1 + wantedRoles(config).reduce((sum, role) => sum + placesOf(role, workers.max), 0);
  const looks = total >= needed + forLooks;
  const left = (connections: number): number => connections - needed - (looks ? forLooks : 0);
  const shareOf = (role: ProcessRole): PoolShare => {
    const { least, most } = rowOf(role).pool;
    // What is left is the workers': they alone are many, and keep their connections open.
    if (role === "supervisor" || roleRow(role).places === "one") return { min: 0, max: least, looks };
    const share = (connections: number): number =>
      Math.min(most, least + Math.max(0, Math.floor(left(connections) / workers.max)));
    return { min: poolSize < needed ? 0 : share(poolSize), max: share(total), looks };
  };
  const shares = childRoles.map((role) => [role, shareOf(role)]);
  return { ...Object.fromEntries(shares), supervisor: shareOf("supervisor"), workers };
}

function rowOf(role: ProcessRole): RoleRow["connections"] {
  return role === "supervisor" ? supervisorConnections : roleRow(role).connections;
}

function placesOf(role: ProcessRole, workers: number): number {
  return role !== "supervisor" && roleRow(role).places === "workers" ? workers : 1;
}

/** How many connections a daemon of this configuration needs at least, for so many workers. */
function neededBy(config: Config): (workers: number) => number {
  const roles: ProcessRole[] = ["supervisor", ...wantedRoles(config)];
  return (workers) =>
    roles.reduce((sum, role) => {
      const { besidePool, pool } = rowOf(role);
      return sum + placesOf(role, workers) * (besidePool + pool.least);
    }, 0);
}

function boundsOf(config: Config, connections: number): WorkerBounds {
  const { pipeline } = config;
  const neededFor = neededBy(config);
  const bounds = workerBounds(pipeline.workers) ?? { min: 1, max: 1 };
  if (pipeline.workers !== "auto") return bounds;
  const fitting = Math.floor((connections - neededFor(0)) / (neededFor(1) - neededFor(0)));
  return { min: bounds.min, max: Math.max(bounds.min, Math.min(bounds.max, fitting)) };
}
