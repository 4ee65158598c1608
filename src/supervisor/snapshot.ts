import type { BoundedCount } from "../queue/read-depth.js";
import type { Child } from "./child.js";

/** A supervisor at this moment, for whoever reports on it. */
export interface Snapshot {
  phase: "working" | "reloading" | "draining";
  /** Workers that are wanted, and those that are up: heard of, and not waiting for anything that is away. */
  workers: { wanted: number; up: number };
  /** Blocks that its workers completed since it started. */
  completed: number;
  /**
   * The newest block that the chain was seen to have, and that the schema holds; undefined: not known. `ageMs`: since
   * its own time.
   */
  head: { chain: number; stored: number | undefined; ageMs: number } | undefined;
  /** Why nobody claims, "" without a reason; undefined: it is not paused. */
  paused: string | undefined;
  /** Jobs that are failed; undefined: not known. */
  failed: BoundedCount | undefined;
  /** The alert that is open, in one sentence: the first of priority err, or else the first; undefined: none, or not known. */
  alert: string | undefined;
  /** Milliseconds since the database was lost; undefined: it is there. */
  databaseAwayMs: number | undefined;
  /** What was said when it was last tried. */
  databaseSays: string | undefined;
  /** Why no endpoint answers, in the words of the process that asks for the head, or else of a worker; undefined: one does. */
  nodeAway: string | undefined;
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

/** Why no endpoint answers, as the first child knows it that is refused or put off by each of those that it has. */
export function lookAtNodes(children: ReadonlySet<Child>): string | undefined {
  for (const { doing } of children) {
    const endpoints = doing.endpoints ?? [];
    const [first] = endpoints;
    if (first === undefined || endpoints.some(({ state }) => state === "up")) continue;
    const reason = first.reason ?? first.state;
    // Most reasons name their endpoint already.
    return reason.startsWith(first.name) ? reason : `${first.name}: ${reason}`;
  }
  return undefined;
}
