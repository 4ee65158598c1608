import type { Child } from "./child.js";

/** A supervisor at this moment, for whoever reports on it. */
export interface Snapshot {
  phase: "working" | "reloading" | "draining";
  /** Workers that are wanted, and those that are up: heard of, and not waiting for anything that is away. */
  workers: { wanted: number; up: number };
  /** Blocks that its workers completed since it started. */
  completed: number;
  /** The newest block that the chain has, and that the schema holds; undefined: not known. */
  head: { chain: number; stored: number | undefined } | undefined;
  /** Milliseconds since the database was lost; undefined: it is there. */
  databaseAwayMs: number | undefined;
  /** What workers wait for, in the words of one of them. */
  waitingFor: string | undefined;
  /** Whether every child was heard of lately, or is being replaced. */
  well: boolean;
}

/** How many workers are up, and what those wait for that are not. */
export function lookAtWorkers(children: ReadonlySet<Child>): Pick<Snapshot, "waitingFor"> & { up: number } {
  const workers = [...children].filter(({ role }) => role === "worker");
  const waiting = workers.filter(({ state }) => state === "waiting");
  return {
    up: workers.filter(({ state }) => state === "idle" || state === "working").length,
    waitingFor: waiting.flatMap(({ doing }) => doing.reason ?? []).at(0),
  };
}
