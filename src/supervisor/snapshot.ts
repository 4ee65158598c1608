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
