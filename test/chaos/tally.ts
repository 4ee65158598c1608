// What was done, what came of it, and how long it took.

import type { Finding } from "./history.js";

/** How long a recovery may take before it counts as none at all. */
export const recoveryLimitMs = 30_000;

export interface Recovery {
  /** From what to what, such as "worker killed, to the next claim of its block". */
  what: string;
  ms: number;
  /** Whether nothing else was injected meanwhile: only then a bound applies. */
  isAlone: boolean;
}

/** Collects the account of a run. */
export class Tally {
  readonly faults = new Map<string, number>();
  readonly recoveries: Recovery[] = [];
  /** Promises that were broken, other than by rows: no recovery, a daemon that ended, an invariant. */
  readonly broken: Finding[] = [];
  /** Figures that are no recovery, such as the cost of a flood; printed as they are. */
  readonly notes = new Map<string, string>();
  /** How many scenarios are under way. */
  underWay = 0;

  fault(kind: string, count = 1): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + count);
  }

  /** Counts which of several right outcomes a fault had. */
  outcome(name: string): void {
    this.notes.set(name, String(Number(this.notes.get(name) ?? 0) + 1));
  }

  /** `ms` undefined: it never did. */
  recovered(what: string, ms: number | undefined, isAlone: boolean): void {
    if (ms === undefined || ms > recoveryLimitMs)
      this.brokenBy(`${what}: not within ${recoveryLimitMs / 1_000} s`);
    if (ms !== undefined) this.recoveries.push({ what, ms, isAlone });
  }

  brokenBy(what: string, block: number | null = null): void {
    this.broken.push({ block, what });
  }

  get faultCount(): number {
    return [...this.faults.values()].reduce((sum, count) => sum + count, 0);
  }
}
