import { hostname } from "node:os";
import type { Sql } from "../db/pool.js";
import { registerWorkers, type WorkerRow } from "../queue/workers.js";
import type { Child } from "./child.js";

/** How often processing_workers is written when nothing changed. */
const everyMs = 10_000;

/** What processing_workers says of a supervisor and its children. */
export class Registration {
  readonly #supervisorId: string;
  readonly #version: string;
  readonly #children: ReadonlySet<Child>;
  readonly #deaths: () => number;
  #states = "";
  #writtenAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    supervisorId: string;
    version: string;
    children: ReadonlySet<Child>;
    /** How many children died since it started. */
    deaths(): number;
  }) {
    this.#supervisorId = options.supervisorId;
    this.#deaths = options.deaths;
    this.#version = options.version;
    this.#children = options.children;
  }

  /** Writes it when a state changed, now and then besides, and at once where it `mustWrite`. */
  async write(sql: Sql, { mustWrite }: { mustWrite: boolean }): Promise<void> {
    const rows = this.#rows();
    const states = rows
      .map(({ workerId, state, doing }) => `${workerId} ${state} ${endpointStates(doing)}`)
      .join();
    const isDue = performance.now() - this.#writtenAt > everyMs;
    if (!mustWrite && states === this.#states && !isDue) return;
    await registerWorkers(sql, rows);
    this.#states = states;
    this.#writtenAt = performance.now();
  }

  #rows(): WorkerRow[] {
    const shared = { supervisorId: this.#supervisorId, hostname: hostname(), version: this.#version };
    const doing = { deaths: this.#deaths() };
    const own = { role: "supervisor", pid: process.pid, state: "working", doing } as const;
    return [
      { ...shared, ...own, workerId: this.#supervisorId },
      ...[...this.#children].map(({ workerId, role, pid = 0, state, doing }) => ({
        ...shared,
        workerId,
        role,
        pid,
        state,
        doing,
      })),
    ];
  }
}

/** Of a child: a change of them is news for people. */
function endpointStates(doing: WorkerRow["doing"]): string {
  return (doing?.endpoints ?? []).map(({ state, aside }) => (aside ? "aside" : state)).join(" ");
}
