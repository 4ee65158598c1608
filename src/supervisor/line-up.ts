import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/schema.js";
import { ConfigError } from "../errors.js";
import { type Allotment, connectionsOf } from "./allot-connections.js";
import { type Child, type ChildExit, isLoaded, loadChild, type Role, startChild } from "./child.js";
import type { Installation } from "./installation.js";
import type { LoadedAhead } from "./load-ahead.js";
import { countDeath, respawnDelay } from "./respawn-delay.js";
import { type Place, replace, roll, type Verbs } from "./roll.js";

/** What children are forked with: those of one start, or of one reload, alike. */
export interface Generation {
  config: Config;
  allotment: Allotment;
  installation: Installation;
}

export interface LineUpOptions {
  supervisorId: string;
  /** The process of its first worker, if that was loaded before. */
  ahead: LoadedAhead | undefined;
  only: { from: number; to: number } | undefined;
  outputFd: 1 | 2;
  /** Where to fork from when a generation's release is gone: a package's upgrade takes it away. */
  newestInstallation(): Installation;
  /** How long the host's lease holds from now on. */
  leaseForMs(): number;
  /** Aborts when no child is to be replaced any more. */
  draining: AbortSignal;
  /** Clears up after a child that ended; `expected`: it was asked to, and did so in order. */
  onExit(child: Child, exit: ChildExit, expected: boolean): Promise<void>;
  /** A child found that no work is possible at all. */
  onFatal(message: string): void;
}

/** The children of a supervisor, each in its place. */
export interface LineUp {
  readonly children: ReadonlySet<Child>;
  /** Places of workers, without those that are being given up. */
  workers(): number;
  /**
   * Fills the places of a generation: one orchestrator, and so many workers. A worker that was loaded ahead comes
   * first, and the others when it has begun: they would only take its time for their own loading.
   */
  fill(generation: Generation, workers: number): Promise<void>;
  /** Replaces all children by those of another generation, as `roll` does. */
  rollTo(generation: Generation, workers: number): Promise<void>;
  /** Opens places for workers, or gives up the newest ones. Rejects when a new worker does not become ready. */
  resize(workers: number, generation: Generation): Promise<void>;
  /** Replaces one worker by a new one, as `replace` does. */
  recycle(child: Child, generation: Generation): Promise<void>;
  /** Blocks that the workers completed since the start, those of workers that are gone included. */
  completed(): number;
  /** Resolves when every place is empty. */
  emptied(): Promise<void>;
}

/** A child that was told to stop may take so long; then it is killed. */
export const killAfterMs = 6_000;
/** A new child that is not ready after so long is taken for one that never will be. */
const readyWithinMs = 30_000;

/** Who waits for the first child of a place. */
interface Trial {
  ready(): void;
  failed(error: Error): void;
}

interface Slot extends Place {
  generation: Generation;
  child: Child | undefined;
  /** Set until its first child is ready, if a roll waits for that. */
  trial: Trial | undefined;
  retiring: AbortController;
  /** ChildSettings.rank; its successors have the same. */
  rank: number;
  /** Resolves when its last child is gone. */
  ended: Promise<void>;
}

/** An empty line-up. */
export function createLineUp(options: LineUpOptions): LineUp {
  const { supervisorId, only, draining } = options;
  const children = new Set<Child>();
  const slots = new Set<Slot>();
  let forked = 0;
  let completedByGone = 0;
  let { ahead } = options;

  /** Keeps a place filled: a child, and its successors, until it is retired or the end. */
  const keep = async (slot: Slot): Promise<void> => {
    const ending = AbortSignal.any([draining, slot.retiring.signal]);
    let deaths = 0;
    while (!ending.aborted) {
      const child = fork(slot);
      let begun = false;
      void child.ready.then(() => {
        begun = true;
        slot.trial?.ready();
        slot.trial = undefined;
      });
      const exit = await child.exited;
      slot.child = undefined;
      children.delete(child);
      completedByGone += completedBy(child);
      await options.onExit(child, exit, ending.aborted && exit.code === 0);
      if (slot.trial !== undefined) {
        // Nothing depends on it yet: it is for the roll to say what this means.
        slot.trial.failed(new ConfigError(exit.fatal ?? `a new ${slot.role} ended at once`));
        return;
      }
      if (exit.fatal !== undefined) options.onFatal(exit.fatal);
      deaths = countDeath(deaths, exit.livedMs);
      await sleep(respawnDelay(deaths, { begun }), undefined, { signal: ending }).catch(() => {});
    }
    slot.trial?.failed(new ConfigError("it is stopping"));
  };

  const placesOfWorkers = (): Slot[] =>
    [...slots].filter(({ role, retiring }) => role === "worker" && !retiring.signal.aborted);
  const freeRank = (): number => {
    const taken = new Set(placesOfWorkers().map(({ rank }) => rank));
    let rank = 0;
    while (taken.has(rank)) rank += 1;
    return rank;
  };
  /** Which looks for work before the others when all are woken. */
  const firstWorker = (): Slot | undefined => placesOfWorkers().find(({ rank }) => rank === 0);
  /** Of the endpoints' limits: the workers and the orchestrator have it alike. */
  const share = (): number => 1 / (placesOfWorkers().length + 1);
  const tellShares = (): void => {
    for (const child of children) child.send({ type: "share", rpcShare: share() });
  };

  const load = ({ role, generation }: Slot): { workerId: string; process: ChildProcess } => {
    forked += 1;
    if (ahead !== undefined && role === "worker") {
      const loaded = ahead;
      ahead = undefined;
      if (isLoaded(loaded.process)) return loaded;
      // It died with the first number.
      forked += 1;
    }
    const workerId = `${supervisorId}/${role === "worker" ? "w" : "o"}${forked}`;
    const installation = existsSync(generation.installation.code)
      ? generation.installation
      : options.newestInstallation();
    return { workerId, process: loadChild({ role, workerId, installation, outputFd: options.outputFd }) };
  };
  const fork = (slot: Slot): Child => {
    const { config, allotment } = slot.generation;
    const { workerId, process } = load(slot);
    const child = startChild(process, {
      role: slot.role,
      settings: {
        config,
        workerId,
        pool: allotment[slot.role],
        rpcShare: share(),
        rank: slot.rank,
        ...(only === undefined ? {} : { only }),
      },
      leaseForMs: options.leaseForMs(),
      onAnnounced: (block) => firstWorker()?.child?.send({ type: "announced", ...block }),
    });
    slot.child = child;
    children.add(child);
    return child;
  };

  const open = (role: Role, generation: Generation, trial?: Trial): Slot => {
    const retiring = new AbortController();
    const rank = freeRank();
    const slot: Slot = {
      role,
      generation,
      trial,
      retiring,
      rank,
      child: undefined,
      ended: Promise.resolve(),
    };
    slots.add(slot);
    slot.ended = keep(slot).finally(() => slots.delete(slot));
    return slot;
  };

  const retire = async (slot: Slot): Promise<void> => {
    slot.retiring.abort();
    slot.child?.send({ type: "drain" });
    const drainMs = slot.generation.config.pipeline.drain_seconds * 1_000;
    const timers = [
      setTimeout(() => slot.child?.send({ type: "stop" }), drainMs),
      setTimeout(() => slot.child?.kill("SIGKILL"), drainMs + killAfterMs),
    ];
    await slot.ended;
    for (const timer of timers) clearTimeout(timer);
  };

  /** Throws, and has closed the place again, when its first child is not ready soon. */
  const openOnTrial = async (role: Role, generation: Generation): Promise<void> => {
    const late = new AbortController();
    const refuse = async (): Promise<never> => {
      await sleep(readyWithinMs, undefined, { signal: late.signal });
      throw new ConfigError(`a new ${role} was not ready within ${readyWithinMs / 1_000} s`);
    };
    let slot: Slot | undefined;
    const ready = new Promise<void>((resolve, reject) => {
      slot = open(role, generation, { ready: resolve, failed: reject });
    });
    try {
      await Promise.race([ready, refuse()]);
    } catch (error) {
      if (slot !== undefined) await retire(slot);
      throw error;
    } finally {
      late.abort();
    }
  };

  /** Whether one more child of this generation fits into the connections that it may open. */
  const fits = (role: Role, { config, allotment }: Generation): boolean => {
    const { pool_size, max_overflow } = config.database;
    const held = [...slots].map((slot) => connectionsOf(slot.role, slot.generation.allotment));
    const all = [...held, connectionsOf("supervisor", allotment), connectionsOf(role, allotment)];
    return all.reduce((sum, each) => sum + each, 0) <= pool_size + max_overflow;
  };

  const verbsOf = (generation: Generation): Verbs<Slot> => ({
    open: (role) => openOnTrial(role, generation),
    reopen: (slot) => open(slot.role, slot.generation),
    retire,
    fits: (role) => fits(role, generation),
  });

  return {
    children,
    workers: () => placesOfWorkers().length,
    async fill(generation, workers) {
      if (ahead !== undefined) {
        const { child } = open("worker", generation);
        await Promise.race([child?.ready, child?.exited]);
      }
      open("orchestrator", generation);
      while (placesOfWorkers().length < workers) open("worker", generation);
      tellShares();
    },
    async rollTo(generation, workers) {
      try {
        await roll({ old: [...slots], workers, ...verbsOf(generation) });
      } finally {
        tellShares();
      }
    },
    async resize(workers, generation) {
      const places = placesOfWorkers();
      try {
        for (let i = places.length; i < workers; i += 1) await openOnTrial("worker", generation);
      } finally {
        tellShares();
      }
      await Promise.all(places.slice(workers).map(retire));
      tellShares();
    },
    async recycle(child, generation) {
      const place = placesOfWorkers().find((slot) => slot.child === child);
      if (place !== undefined) await replace(place, verbsOf(generation));
    },
    completed: () => [...children].reduce((sum, child) => sum + completedBy(child), completedByGone),
    async emptied() {
      while (slots.size > 0) await Promise.all([...slots].map((slot) => slot.ended));
    },
  };
}

function completedBy({ role, doing }: Child): number {
  return role === "worker" && typeof doing.completed === "number" ? doing.completed : 0;
}
