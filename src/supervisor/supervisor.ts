// The supervisor: forks the orchestrator and the workers, holds the host's lease, replaces who dies,
// kills who hangs, and ends them all in order. It does no chain work, so that its event loop never
// stalls: the lease and the heartbeats hang on it.

import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { connectionOptions, pulseChannel } from "../child/connections.js";
import type { Config } from "../config/schema.js";
import { holdLease } from "../db/lease.js";
import { createPool } from "../db/pool.js";
import { ConfigError, describeError } from "../errors.js";
import type { Logger } from "../logger.js";
import { giveBackUnknown } from "../queue/give-back.js";
import { registerWorkers, unregisterSupervisor, unregisterWorker, type WorkerRow } from "../queue/workers.js";
import type { Redact } from "../redact.js";
import { allotConnections } from "./allot-connections.js";
import type { Child, ChildExit } from "./child.js";
import { createSupervisorId } from "./identity.js";
import { followInstallation, type Installation } from "./installation.js";
import { createLineUp, type Generation, killAfterMs } from "./line-up.js";
import type { LoadedAhead } from "./load-ahead.js";
import { reclaim } from "./reclaim.js";
import { recycleWorkers } from "./recycle-workers.js";
import { scaleWorkers } from "./scale-workers.js";
import { Scaling } from "./scaling.js";
import type { Snapshot } from "./snapshot.js";
import { watchHead } from "./watch-head.js";
import { watchHeartbeats } from "./watch-heartbeats.js";

export interface SupervisorOptions {
  config: Config;
  version: string;
  log: Logger;
  redact: Redact;
  /** Claim only these blocks, inclusive. */
  only?: { from: number; to: number } | undefined;
  /** Where the children's log lines go: file descriptor 1 or 2. */
  outputFd: 1 | 2;
  /** Look at the head now and then, for `snapshot`. */
  watchHead?: boolean;
  /** Its first worker's process, and the id that this gave it. */
  ahead?: LoadedAhead | undefined;
}

export interface Supervisor {
  readonly id: string;
  /**
   * Rolls the children onto the newest release and the configuration that `check` finds for it, one by
   * one; claims go on. Resolves when the old ones are gone. Throws a ConfigError, and changes nothing, when
   * the configuration cannot work or its first child does not become ready.
   */
  reload(check: (installation: Installation) => Promise<Config>): Promise<void>;
  snapshot(): Snapshot;
  /** Lets the workers finish what they hold, then ends. After pipeline.drain_seconds it is as `stop`. */
  drain(): void;
  /** Gives claims back, and ends now. */
  stop(): void;
  /** Resolves when every child is gone and the lease is given up. `fatal`: why no work is possible. */
  readonly ended: Promise<{ fatal: string | undefined }>;
}

/** How often it is tried to give back what a worker left, while the database is away. */
const giveBackAgainMs = 500;
/** How often processing_workers is written when nothing changed. */
const registerEveryMs = 10_000;
/** Starts a supervisor. Throws a ConfigError when the configuration cannot work; a database that is down is waited for. */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const { log, redact, version } = options;
  const id = options.ahead?.supervisorId ?? createSupervisorId();
  const newestInstallation = followInstallation();
  let generation: Generation = {
    config: options.config,
    allotment: allotConnections(options.config),
    installation: newestInstallation(),
  };
  const connection = connectionOptions(options.config, id);
  const pool = createPool({ ...connection, ...generation.allotment.supervisor });

  const draining = new AbortController();
  const stopping = new AbortController();
  const leaseEnds = new AbortController();
  let leaseUntil = 0;
  let fatal: string | undefined;
  let reloading = false;
  const inTurn = createTurns();
  let lostAt: number | undefined = performance.now();
  const head = watchHead();

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
    }, killAfterMs).unref();
  };

  const lineUp = createLineUp({
    supervisorId: id,
    ahead: options.ahead,
    only: options.only,
    outputFd: options.outputFd,
    newestInstallation,
    leaseForMs: () => leaseUntil - performance.now(),
    draining: draining.signal,
    async onExit(child, exit, expected) {
      if (!expected) await bury(child, exit);
      else if (child.role === "worker") await giveBackLeft(child.workerId);
      await unregisterWorker(pool, child.workerId).catch(() => {});
    },
    onFatal(message) {
      fatal ??= message;
      stop();
    },
  });
  const { children } = lineUp;

  const reload: Supervisor["reload"] = async (check) => {
    if (draining.signal.aborted) throw new ConfigError("it is stopping");
    if (reloading) throw new ConfigError("another reload is under way");
    reloading = true;
    try {
      const installation = newestInstallation();
      const config = await check(installation);
      checkReloadable(options.config, config);
      const allotment = allotConnections(config);
      const next: Generation = { config, allotment, installation };
      log.info({ installation: installation.code }, "reloading: rolling the children");
      await inTurn(async () => {
        const { min, max } = allotment.workers;
        await lineUp.rollTo(next, Math.max(min, Math.min(max, lineUp.workers())));
        generation = next;
        scaling.rebound(allotment.workers);
      });
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

  /** Gives back, unharmed, what a worker that ended in order could not give back itself, as the database was away. */
  const giveBackLeft = async (workerId: string): Promise<void> => {
    do {
      try {
        const jobs = await giveBackUnknown(pool, workerId, []);
        if (jobs > 0) log.info({ worker: workerId, jobs }, "gave back what it had left");
        return;
      } catch (error) {
        log.warn(
          { worker: workerId, reason: redact(describeError(error)) },
          "its claims cannot be given back yet",
        );
      }
      await sleep(giveBackAgainMs, undefined, { signal: draining.signal }).catch(() => {});
      // Nobody is to wait for it at the end: it stays registered then, and the sweep releases what it left.
    } while (!draining.signal.aborted);
  };

  const rowsOf = (): WorkerRow[] => {
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
    pulseChannel: pulseChannel(id),
    leaseMs: options.config.database.lease_seconds * 1_000,
    retryMs: 200,
    signal: leaseEnds.signal,
    async onHeld(session, event, validForMs) {
      leaseUntil = performance.now() + validForMs;
      lostAt = undefined;
      const tell = (): void => {
        const message = {
          type: "lease",
          validForMs: leaseUntil - performance.now(),
          pulse: event === "pinged",
        } as const;
        for (const child of children) child.send(message);
      };
      // Whoever is to claim is registered first: the claims of a supervisor that nobody knows are looked for last.
      if (event !== "taken") tell();
      const rows = rowsOf();
      const states = rows
        .map(({ workerId, state, doing }) => `${workerId} ${state} ${toldStates(doing)}`)
        .join();
      const due = performance.now() - registeredAt > registerEveryMs;
      if (event === "taken" || states !== registered || due) {
        await registerWorkers(session, rows);
        registered = states;
        registeredAt = performance.now();
      }
      if (event === "taken") tell();
      if (options.watchHead) await head.look(session);
      if (event === "taken") log.info({ supervisor: id }, "holding the lease of this host");
    },
    onLost(error) {
      lostAt ??= performance.now();
      log.warn({ reason: redact(describeError(error)) }, "the lease of this host is lost; taking it again");
    },
  });

  const hungMs = (): number => generation.config.pipeline.hung_seconds * 1_000;
  const watch = watchHeartbeats({ children, hungMs, log });
  const { workers } = generation.allotment;
  const scaling = new Scaling(workers);
  const filled = inTurn(() => lineUp.fill(generation, workers.min));
  const tending = [
    scaleWorkers({
      pool,
      scaling,
      children,
      only: options.only,
      wanted() {
        const { min, max } = generation.allotment.workers;
        return min === max || inTurn.busy() ? undefined : lineUp.workers();
      },
      completed: lineUp.completed,
      async resize(wanted) {
        log.info({ workers: wanted, before: lineUp.workers() }, "changing the number of workers");
        await inTurn(() => lineUp.resize(wanted, generation));
      },
      signal: draining.signal,
    }),
    recycleWorkers({
      children,
      limits: () => ({
        memoryMb: generation.config.pipeline.worker_memory_mb,
        jobs: generation.config.pipeline.worker_jobs,
      }),
      recycle: (child) => inTurn(() => lineUp.recycle(child, generation)),
      log,
      signal: draining.signal,
    }),
  ];

  const snapshot = (): Snapshot => {
    const workers = [...children].filter(({ role }) => role === "worker");
    const reasons = workers.filter(({ state }) => state === "waiting").map(({ doing }) => doing.reason);
    const up = workers.filter(({ state }) => state === "idle" || state === "working");
    return {
      phase: draining.signal.aborted ? "draining" : reloading ? "reloading" : "working",
      workers: { wanted: lineUp.workers(), up: up.length },
      completed: lineUp.completed(),
      head: head.head,
      databaseAwayMs: lostAt === undefined ? undefined : performance.now() - lostAt,
      waitingFor: reasons.find((reason) => typeof reason === "string"),
      well: watch.well(),
    };
  };

  const ended = (async () => {
    await filled;
    await lineUp.emptied();
    await Promise.all(tending);
    watch.close();
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

/** The states of a child's endpoints: a change of them is news for people. */
function toldStates(doing: WorkerRow["doing"]): string {
  if (!Array.isArray(doing?.endpoints)) return "";
  return doing.endpoints.map((each: { state?: unknown }) => String(each?.state)).join(" ");
}

/** Lets changes of the line-up happen one after the other. */
function createTurns() {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    waiting += 1;
    const turn = last.then(change).finally(() => {
      waiting -= 1;
    });
    last = turn.catch(() => {});
    return turn;
  };
  return Object.assign(inTurn, { busy: () => waiting > 0 });
}

/** The supervisor's own session and lease stay what they are: what they hang on takes a restart. */
function checkReloadable(before: Config, after: Config): void {
  for (const key of ["url", "listen_url", "schema", "lease_seconds"] as const) {
    if (before.database[key] === after.database[key]) continue;
    throw new ConfigError(`database.${key} changed: that takes a restart`, { key: `database.${key}` });
  }
}
