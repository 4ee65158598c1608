// A host as the suite sees it: a daemon, and what systemd does for it. One that ends is started again at once.

import { setTimeout as sleep } from "node:timers/promises";
import { type Daemon, type DaemonOptions, startDaemon } from "../support/daemon.js";
import { alive, waitFor } from "../support/process.js";
import type { Tally } from "./tally.js";

/** How long children may outlive their supervisor: they give back what they hold, and end. */
const orphansEndWithinMs = 10_000;

/** RestartSec of blockmill@.service. */
const restartDelayMs = 200;

export class Host {
  readonly name: string;
  readonly #options: DaemonOptions;
  readonly #tally: Tally;
  readonly #gone: { daemon: Daemon; pids: number[]; at: number }[] = [];
  #daemon: Daemon | undefined;
  #kills = 0;
  #ending = false;
  #kept: Promise<void> | undefined;

  constructor(name: string, options: DaemonOptions, tally: Tally) {
    this.name = name;
    this.#options = options;
    this.#tally = tally;
  }

  /** Starts it, and keeps it running until `end`. */
  async start(): Promise<Daemon> {
    this.#kept = this.#keep();
    return this.running();
  }

  /** Its daemon, once all of its processes are there. */
  async running(): Promise<Daemon> {
    return waitFor(() => this.#daemon, {
      what: `the daemon of host ${this.name}`,
      timeoutMs: 120_000,
      everyMs: 10,
    });
  }

  get daemon(): Daemon | undefined {
    return this.#daemon;
  }

  /** Kills processes of it, and remembers that the end of its supervisor is the suite's own doing. */
  kill(pids: readonly number[]): void {
    this.#kills += 1;
    for (const pid of pids) signal(pid, "SIGKILL");
  }

  /** Lets go on what is stopped; kills what children should have ended by themselves, and says so. */
  async heal(): Promise<void> {
    for (const { daemon, pids, at } of this.#gone.splice(0)) {
      for (const pid of pids) signal(pid, "SIGCONT");
      const leftMs = Math.max(0, orphansEndWithinMs - (performance.now() - at));
      await waitFor(() => !pids.some(alive), {
        what: "orphans to end",
        timeoutMs: leftMs + 5_000,
        everyMs: 50,
      }).catch(() => {
        const left = pids.filter(alive).length;
        this.#tally.brokenBy(`${left} children of host ${this.name} outlived their supervisor`);
      });
      await daemon.destroy();
    }
    if (this.#daemon !== undefined) for (const pid of this.#daemon.pids()) signal(pid, "SIGCONT");
  }

  /** Drains it as systemd would; its exit must be in order. */
  async stop(): Promise<void> {
    const daemon = await this.running();
    this.#ending = true;
    const exit = await daemon.stop();
    if (exit.code !== 0)
      this.#tally.brokenBy(`host ${this.name} ended with ${exit.code ?? exit.signal} on SIGTERM`);
    await this.end();
  }

  /** Kills whatever is left of it. */
  async end(): Promise<void> {
    this.#ending = true;
    const daemon = this.#daemon;
    if (daemon !== undefined) await daemon.destroy();
    await this.#kept;
    await this.heal();
  }

  async #keep(): Promise<void> {
    while (!this.#ending) {
      const killsBefore = this.#kills;
      let daemon: Daemon;
      try {
        daemon = await startDaemon(this.#options);
      } catch (error) {
        if (this.#ending) return;
        const first = String(error).split("\n").slice(0, 12).join(" | ");
        if (this.#kills === killsBefore) this.#tally.brokenBy(`host ${this.name} did not start: ${first}`);
        await sleep(200);
        continue;
      }
      // It was ended while it started: nobody else would end this one.
      if (this.#ending) return daemon.destroy();
      this.#daemon = daemon;
      const pids = watchPids(daemon);
      const exit = await daemon.program.exit;
      this.#daemon = undefined;
      this.#gone.push({ daemon, pids: pids.stop(), at: performance.now() });
      if (!this.#ending) await sleep(restartDelayMs);
      if (!this.#ending && this.#kills === killsBefore) {
        const last = daemon.program.output.slice(-3).join(" | ");
        this.#tally.brokenBy(
          `the supervisor of host ${this.name} ended with ${exit.code ?? exit.signal}: ${last}`,
        );
        await sleep(200);
      }
    }
  }
}

/** The processes of a daemon, as long as its supervisor lives to name them. */
function watchPids(daemon: Daemon): { stop(): number[] } {
  const seen = new Map<number, true>();
  const look = (): void => {
    for (const pid of daemon.pids()) seen.set(pid, true);
  };
  look();
  const timer = setInterval(look, 500);
  return {
    stop() {
      clearInterval(timer);
      return [...seen.keys()].filter(alive);
    },
  };
}

/** Signals a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself, or another fault was quicker.
  }
}
