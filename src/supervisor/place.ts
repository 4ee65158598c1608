import { setTimeout as sleep } from "node:timers/promises";
import type { Role } from "../child/roles.js";
import type { Config } from "../config/schema.js";
import { ConfigError } from "../errors.js";
import type { Allotment } from "./allot-connections.js";
import type { Child, ChildExit } from "./child.js";
import type { Installation } from "./installation.js";
import { countDeath, respawnDelay } from "./respawn-delay.js";
import type { StartGate } from "./start-gate.js";
import type { StartLimit } from "./start-limit.js";

/** What children are forked with: those of one start, or of one reload, alike. */
export interface Generation {
  config: Config;
  allotment: Allotment;
  installation: Installation;
}

export interface PlaceOptions {
  role: Role;
  generation: Generation;
  /** ChildSettings.rank; its children have it one after the other. */
  rank: number;
  /** Whether it is given up, instead of filled again, when its first child does not become ready. */
  onTrial: boolean;
  gate: StartGate;
  limit: StartLimit;
  /** Aborts when no child is to be replaced any more. */
  draining: AbortSignal;
  fork(place: Place): Child;
  /** Clears up after a child that ended; `asked`: it was to end. */
  onExit(child: Child, exit: ChildExit, asked: boolean): Promise<void>;
  /** A child found that no work is possible at all. */
  onFatal(message: string): void;
}

/** A child that was told to stop may take so long; then it is killed. */
export const killAfterMs = 6_000;

/** A place in the line-up: a child, and its successors, until it is retired or the end. */
export class Place {
  readonly role: Role;
  readonly generation: Generation;
  readonly rank: number;
  /** Settled when its first child is ready or gone. Rejects with a ConfigError when one on trial is not to be ready. */
  readonly tried: Promise<void>;
  /** Resolves when its last child is gone. */
  readonly ended: Promise<void>;
  readonly #options: PlaceOptions;
  readonly #retiring = new AbortController();
  readonly #ending: AbortSignal;
  #child: Child | undefined;

  constructor(options: PlaceOptions) {
    this.role = options.role;
    this.generation = options.generation;
    this.rank = options.rank;
    this.#options = options;
    this.#ending = AbortSignal.any([options.draining, this.#retiring.signal]);
    const trial = Promise.withResolvers<void>();
    this.tried = trial.promise;
    // Who opened it without a trial need not look.
    trial.promise.catch(() => {});
    this.ended = this.#keep(trial);
  }

  get child(): Child | undefined {
    return this.#child;
  }

  get isRetiring(): boolean {
    return this.#retiring.signal.aborted;
  }

  /** Lets its child finish what it holds, and fills it no more. Resolves when the child is gone. */
  async retire(): Promise<void> {
    this.#retiring.abort();
    this.#child?.send({ type: "drain" });
    const drainMs = this.generation.config.pipeline.drain_seconds * 1_000;
    const timers = [
      setTimeout(() => this.#child?.send({ type: "stop" }), drainMs),
      setTimeout(() => this.#child?.kill("SIGKILL"), drainMs + killAfterMs),
    ];
    await this.ended;
    for (const timer of timers) clearTimeout(timer);
  }

  async #keep(trial: PromiseWithResolvers<void>): Promise<void> {
    const { gate, onExit, onFatal, onTrial, role } = this.#options;
    let deaths = 0;
    let isTried = false;
    for (;;) {
      const leave = await gate.enter(this.#ending);
      if (leave === undefined) break;
      const { child, begun } = this.#fork(leave, trial);
      const exit = await child.exited;
      this.#child = undefined;
      await onExit(child, exit, this.#ending.aborted);
      isTried ||= begun();
      if (onTrial && !isTried) {
        // Nothing depends on it yet: it is for whoever opened it to say what this means.
        trial.reject(new ConfigError(exit.fatal ?? `a new ${role} ended at once`));
        return;
      }
      trial.resolve();
      if (exit.fatal !== undefined) onFatal(exit.fatal);
      deaths = countDeath(deaths, exit.livedMs);
      const delayMs = respawnDelay(deaths, { begun: begun() });
      await sleep(delayMs, undefined, { signal: this.#ending }).catch(() => {});
    }
    trial.reject(new ConfigError("it is stopping"));
  }

  /** Forks a child, and has the next one load when it is ready or gone. */
  #fork(leave: () => void, trial: PromiseWithResolvers<void>): { child: Child; begun(): boolean } {
    const { fork, limit, onTrial, role } = this.#options;
    const child = fork(this);
    this.#child = child;
    let hasBegun = false;
    const lateMs = limit.ms;
    // A child that is heard of, and yet does not begin, is waited for no longer than one that loads.
    const late = setTimeout(() => {
      leave();
      if (onTrial)
        trial.reject(new ConfigError(`a new ${role} was not ready within ${Math.round(lateMs / 1_000)} s`));
    }, lateMs);
    void child.ready.then(() => {
      hasBegun = true;
      trial.resolve();
    });
    void Promise.race([child.ready, child.exited]).then(() => {
      clearTimeout(late);
      if (hasBegun) limit.loaded(child.livedMs());
      leave();
    });
    return { child, begun: () => hasBegun };
  }
}
