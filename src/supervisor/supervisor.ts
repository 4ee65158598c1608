// The supervisor: forks the orchestrator and the workers, holds the host's lease, replaces who dies,
// kills who hangs, and ends them all in order. It does no chain work, so that its event loop never
// stalls: the lease and the heartbeats hang on it.

import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { connectionOptions } from "../child/connections.js";
import { heartbeatMs } from "../child/messages.js";
import type { Config } from "../config/schema.js";
import { holdLease } from "../db/lease.js";
import { createPool } from "../db/pool.js";
import { ConfigError, describeError } from "../errors.js";
import type { Log } from "../log.js";
import { readHead } from "../queue/head.js";
import { registerWorkers, unregisterSupervisor, unregisterWorker, type WorkerRow } from "../queue/workers.js";
import type { Redact } from "../redact.js";
import { readNewestBlock } from "../store/newest-block.js";
import { type Allotment, allotConnections, connectionsOf } from "./allot-connections.js";
import { type Child, type ChildExit, forkChild, type Role } from "./child.js";
import { createSupervisorId } from "./identity.js";
import { reclaim } from "./reclaim.js";
import { followRelease, type Release } from "./release.js";
import { countDeath, respawnDelay } from "./respawn-delay.js";
import { type Place, roll } from "./roll.js";
import type { Snapshot } from "./snapshot.js";

export interface SupervisorOptions {
  config: Config;
  version: string;
  log: Log;
  redact: Redact;
  /** Claim only these blocks, inclusive. */
  only?: { from: number; to: number } | undefined;
  /** Where the children's log lines go: file descriptor 1 or 2. */
  outputFd: 1 | 2;
  /** Look at the head now and then, for `snapshot`. */
  watchHead?: boolean;
}

export interface Supervisor {
  readonly id: string;
  /**
   * Rolls the children onto the newest release and the configuration that `check` finds for it, one by
   * one; claims go on. Resolves when the old ones are gone. Throws a ConfigError, and changes nothing, when
   * the configuration cannot work or its first child does not become ready.
   */
  reload(check: (release: Release) => Promise<Config>): Promise<void>;
  snapshot(): Snapshot;
  /** Lets the workers finish what they hold, then ends. After pipeline.drain_seconds it is as `stop`. */
  drain(): void;
  /** Gives claims back, and ends now. */
  stop(): void;
  /** Resolves when every child is gone and the lease is given up. `fatal`: why no work is possible. */
  readonly ended: Promise<{ fatal: string | undefined }>;
}

/** A child that was told to stop may take so long; then it is killed. */
const stopWithinMs = 6_000;
/** How often processing_workers is written when nothing changed. */
const registerEveryMs = 10_000;
/** A new child that is not ready after so long is taken for one that never will be. */
const readyWithinMs = 30_000;
/** A child that is silent so long beyond pipeline.hung_seconds could not be killed. */
const unkillableMs = 10_000;
/** How often the head is read. */
const watchHeadMs = 2_000;

/** What children are forked with: all of one reload's alike. */
interface Generation {
  config: Config;
  allotment: Allotment;
  release: Release;
}

/** Who waits for the first child of a place. */
interface Trial {
  ready(): void;
  failed(error: Error): void;
}

/** One place in the line-up: a child, and its successors, until it is retired. */
interface Slot extends Place {
  generation: Generation;
  child: Child | undefined;
  /** Set until its first child is ready, if a reload waits for that. */
  trial: Trial | undefined;
  retiring: AbortController;
  /** Resolves when its last child is gone. */
  ended: Promise<void>;
}

/** Starts a supervisor. Throws a ConfigError when the configuration cannot work; a database that is down is waited for. */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const { log, redact, version } = options;
  const id = createSupervisorId();
  const newestRelease = followRelease();
  let generation: Generation = {
    config: options.config,
    allotment: allotConnections(options.config, options.config.pipeline.workers),
    release: newestRelease(),
  };
  const connection = connectionOptions(options.config, id);
  const pool = createPool({ ...connection, ...generation.allotment.supervisor });

  const draining = new AbortController();
  const stopping = new AbortController();
  const leaseEnds = new AbortController();
  const children = new Set<Child>();
  const slots = new Set<Slot>();
  let leaseUntil = 0;
  let forked = 0;
  let fatal: string | undefined;
  let reloading = false;
  let buried = 0;
  let lostAt: number | undefined = performance.now();
  let head: Snapshot["head"];
  let headAt = Number.NEGATIVE_INFINITY;
  let emptySince: number | undefined;

  const drain = (): void => {
    if (draining.signal.aborted) return;
    log.info("draining: finishing what is claimed");
    draining.abort();
    for (const child of children) child.send({ type: "drain" });
    const drainMs = generation.config.pipeline.drain_seconds * 1_000;
    sleep(drainMs, undefined, { signal: stopping.signal, ref: false }).then(stop, () => {});
  };
  const stop = (): void => {
    drain();
    if (stopping.signal.aborted) return;
    log.info("stopping: giving claims back");
    stopping.abort();
    for (const child of children) child.send({ type: "stop" });
    setTimeout(() => {
      for (const child of children) child.kill("SIGKILL");
    }, stopWithinMs).unref();
  };

  /** Keeps a place filled: a child, and its successors, until it is retired or the end. */
  const keep = async (slot: Slot): Promise<void> => {
    const { role, retiring } = slot;
    const { config, allotment, release } = slot.generation;
    const ending = AbortSignal.any([draining.signal, retiring.signal]);
    let deaths = 0;
    while (!ending.aborted) {
      forked += 1;
      const workerId = `${id}/${role === "worker" ? "w" : "o"}${forked}`;
      const child = forkChild({
        role,
        // A package's upgrade takes the old release away.
        release: existsSync(release.code) ? release : newestRelease(),
        settings: {
          config,
          workerId,
          pool: allotment[role],
          // The workers and the orchestrator, alike.
          rpcShare: 1 / (config.pipeline.workers + 1),
          ...(options.only === undefined ? {} : { only: options.only }),
        },
        leaseForMs: leaseUntil - performance.now(),
        outputFd: options.outputFd,
      });
      slot.child = child;
      children.add(child);
      void child.ready.then(() => {
        slot.trial?.ready();
        slot.trial = undefined;
      });
      const exit = await child.exited;
      slot.child = undefined;
      children.delete(child);
      buried += completedBy(child);
      const expected = ending.aborted && exit.code === 0;
      if (!expected) await bury(child, exit);
      await unregisterWorker(pool, workerId).catch(() => {});
      if (slot.trial !== undefined) {
        slot.trial.failed(new ConfigError(exit.fatal ?? `a new ${role} ended at once`));
        return;
      }
      if (exit.fatal !== undefined) {
        fatal ??= exit.fatal;
        stop();
      }
      deaths = countDeath(deaths, exit.livedMs);
      await sleep(respawnDelay(deaths), undefined, { signal: ending }).catch(() => {});
    }
    slot.trial?.failed(new ConfigError("it is stopping"));
  };

  const open = (role: Role, of: Generation, trial?: Trial): Slot => {
    const slot: Slot = {
      role,
      generation: of,
      child: undefined,
      trial,
      retiring: new AbortController(),
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
      setTimeout(() => slot.child?.kill("SIGKILL"), drainMs + stopWithinMs),
    ];
    await slot.ended;
    for (const timer of timers) clearTimeout(timer);
  };

  const reload: Supervisor["reload"] = async (check) => {
    if (draining.signal.aborted) throw new ConfigError("it is stopping");
    if (reloading) throw new ConfigError("another reload is under way");
    reloading = true;
    try {
      const release = newestRelease();
      const config = await check(release);
      checkReloadable(options.config, config);
      const allotment = allotConnections(config, config.pipeline.workers);
      const next: Generation = { config, allotment, release };
      log.info({ release: release.code }, "reloading: rolling the children");
      await roll({
        old: [...slots],
        workers: config.pipeline.workers,
        open: (role) => openOnTrial(role, next),
        retire,
        fits(role) {
          const held = [...slots].map((slot) => connectionsOf(slot.role, slot.generation.allotment));
          const { pool_size, max_overflow } = config.database;
          const open = held.reduce((sum, each) => sum + each, connectionsOf("supervisor", next.allotment));
          return open + connectionsOf(role, next.allotment) <= pool_size + max_overflow;
        },
      });
      generation = next;
      log.level(config.log.level as "info");
      log.info("reloaded");
    } catch (error) {
      // What was rolled stays, and what was not stays as it was: the places remember their generation.
      log.error({ err: error }, "the reload failed");
      throw error;
    } finally {
      reloading = false;
    }
  };

  /** Opens a place whose first child nothing depends on yet. Throws, and has closed it again, when that is not ready soon. */
  const openOnTrial = async (role: Role, of: Generation): Promise<void> => {
    const late = new AbortController();
    const refuse = async (): Promise<never> => {
      await sleep(readyWithinMs, undefined, { signal: late.signal });
      throw new ConfigError(`a new ${role} was not ready within ${readyWithinMs / 1_000} s`);
    };
    let slot: Slot | undefined;
    const ready = new Promise<void>((resolve, reject) => {
      slot = open(role, of, { ready: resolve, failed: reject });
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

  const bury = async (child: Child, { code, signal }: ChildExit): Promise<void> => {
    const how = signal === null ? `exit code ${code}` : signal;
    log.error(
      { worker: child.workerId, role: child.role, childPid: child.pid, code, signal },
      `a ${child.role} died (${how})`,
    );
    if (child.role !== "worker") return;
    const started = performance.now();
    const released = await reclaim(pool, {
      workerId: child.workerId,
      maxDeaths: generation.config.pipeline.max_attempts,
      reason: `the worker died (${how}) while it held this block`,
      signal: stopping.signal,
    });
    const ms = Math.round(performance.now() - started);
    if (released.length > 0)
      log.warn({ worker: child.workerId, jobs: released.length, ms }, "released its claims");
  };

  const tellLease = (child: Child): void => {
    const validForMs = leaseUntil - performance.now();
    if (validForMs > 0) child.send({ type: "lease", validForMs });
  };

  const lineUp = (): WorkerRow[] => {
    const shared = { supervisorId: id, hostname: hostname(), version };
    const supervisor = {
      workerId: id,
      role: "supervisor" as const,
      pid: process.pid,
      state: "working",
      doing: null,
    };
    return [
      { ...shared, ...supervisor },
      ...[...children].map(({ workerId, role, pid, state, doing }) => ({
        ...shared,
        workerId,
        role,
        pid: pid ?? 0,
        state,
        doing,
      })),
    ];
  };

  let registered = "";
  let registeredAt = Number.NEGATIVE_INFINITY;
  const lease = holdLease({
    ...connection,
    applicationName: `${connection.applicationName} lease`,
    key: id,
    leaseMs: options.config.database.lease_seconds * 1_000,
    retryMs: 200,
    signal: leaseEnds.signal,
    async onHeld(session, event, validForMs) {
      leaseUntil = performance.now() + validForMs;
      lostAt = undefined;
      for (const child of children) tellLease(child);
      const rows = lineUp();
      const states = rows.map(({ workerId, state }) => `${workerId} ${state}`).join();
      const due = performance.now() - registeredAt > registerEveryMs;
      if (event === "taken" || states !== registered || due) {
        await registerWorkers(session, rows);
        registered = states;
        registeredAt = performance.now();
      }
      if (options.watchHead) await watchHead(session);
      if (event === "taken") log.info({ supervisor: id }, "holding the lease of this host");
    },
    onLost(error) {
      lostAt ??= performance.now();
      log.warn({ reason: redact(describeError(error)) }, "the lease of this host is lost; taking it again");
    },
  });

  const hungMs = (): number => generation.config.pipeline.hung_seconds * 1_000;
  const watch = watchHeartbeats({ children, hungMs, log });
  open("orchestrator", generation);
  for (let i = 0; i < generation.config.pipeline.workers; i += 1) open("worker", generation);

  /** Whether every child is heard of. One that hangs is killed and replaced; well means that this works. */
  const areWell = (): boolean => {
    emptySince = children.size > 0 ? undefined : (emptySince ?? performance.now());
    if (emptySince !== undefined) return performance.now() - emptySince < hungMs() + unkillableMs + 30_000;
    return [...children].every((child) => child.silentMs() < hungMs() + unkillableMs);
  };

  const snapshot = (): Snapshot => {
    const workers = [...children].filter(({ role }) => role === "worker");
    const reasons = workers.filter(({ state }) => state === "waiting").map(({ doing }) => doing.reason);
    const up = workers.filter(({ state }) => state === "idle" || state === "working");
    return {
      phase: draining.signal.aborted ? "draining" : reloading ? "reloading" : "working",
      workers: { wanted: generation.config.pipeline.workers, up: up.length },
      completed: workers.reduce((sum, child) => sum + completedBy(child), buried),
      head,
      databaseAwayMs: lostAt === undefined ? undefined : performance.now() - lostAt,
      waitingFor: reasons.find((reason) => typeof reason === "string"),
      well: areWell(),
    };
  };

  const watchHead = async (session: pg.Client): Promise<void> => {
    if (performance.now() - headAt < watchHeadMs) return;
    headAt = performance.now();
    try {
      const followed = await readHead(session);
      const newest = followed === null ? null : await readNewestBlock(session);
      head = followed === null ? undefined : { chain: followed.headNumber, stored: newest?.number };
    } catch {
      // It is for people to read; what is wrong with the database shows elsewhere.
      head = undefined;
    }
  };

  const ended = (async () => {
    while (slots.size > 0) await Promise.all([...slots].map((slot) => slot.ended));
    clearInterval(watch);
    stopping.abort();
    leaseEnds.abort();
    await lease;
    // After the last ping, which registers them.
    await unregisterSupervisor(pool, id).catch(() => {});
    await pool.end();
    return { fatal };
  })();

  return { id, drain, stop, reload, snapshot, ended };
}

function completedBy({ doing }: Child): number {
  return typeof doing.completed === "number" ? doing.completed : 0;
}

/** The supervisor's own session and lease stay what they are: what they hang on takes a restart. */
function checkReloadable(before: Config, after: Config): void {
  for (const key of ["url", "schema", "lease_seconds"] as const) {
    if (before.database[key] === after.database[key]) continue;
    throw new ConfigError(`database.${key} changed: that takes a restart`, { key: `database.${key}` });
  }
}

/** Kills children that are not heard of. A pause of this process itself is not held against them. */
function watchHeartbeats({
  children,
  hungMs,
  log,
}: {
  children: Set<Child>;
  hungMs(): number;
  log: Log;
}): NodeJS.Timeout {
  let lastLook = performance.now();
  let pausedUntil = 0;
  return setInterval(() => {
    const now = performance.now();
    if (now - lastLook > 3 * heartbeatMs) pausedUntil = now + hungMs();
    lastLook = now;
    if (now < pausedUntil) return;
    for (const child of children) {
      if (child.silentMs() < hungMs()) continue;
      log.error(
        { worker: child.workerId, childPid: child.pid, silentMs: Math.round(child.silentMs()) },
        "hung: killing it",
      );
      child.kill("SIGKILL");
    }
  }, heartbeatMs);
}
