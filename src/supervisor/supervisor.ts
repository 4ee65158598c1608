// The supervisor: forks the orchestrator and the workers, holds the host's lease, replaces who dies,
// kills who hangs, and ends them all in order. It does no chain work, so that its event loop never
// stalls: the lease and the heartbeats hang on it.

import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { connectionOptions } from "../child/connections.js";
import { heartbeatMs } from "../child/messages.js";
import type { Config } from "../config/schema.js";
import { holdLease } from "../db/lease.js";
import { createPool } from "../db/pool.js";
import { describeError } from "../errors.js";
import type { Log } from "../log.js";
import { registerWorkers, unregisterSupervisor, unregisterWorker, type WorkerRow } from "../queue/workers.js";
import type { Redact } from "../redact.js";
import { allotConnections } from "./allot-connections.js";
import { type Child, type ChildExit, forkChild, type Role } from "./child.js";
import { createSupervisorId } from "./identity.js";
import { reclaim } from "./reclaim.js";
import { countDeath, respawnDelay } from "./respawn-delay.js";

export interface SupervisorOptions {
  config: Config;
  version: string;
  log: Log;
  redact: Redact;
  /** Claim only these blocks, inclusive. */
  only?: { from: number; to: number } | undefined;
  /** Where the children's log lines go: file descriptor 1 or 2. */
  outputFd: 1 | 2;
}

export interface Supervisor {
  readonly id: string;
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

/** Starts a supervisor. Throws a ConfigError when the configuration cannot work; a database that is down is waited for. */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const { config, log, redact, version } = options;
  const id = createSupervisorId();
  const allotment = allotConnections(config, config.pipeline.workers);
  const connection = connectionOptions(config, id);
  const pool = createPool({ ...connection, ...allotment.supervisor });

  const draining = new AbortController();
  const stopping = new AbortController();
  const leaseEnds = new AbortController();
  const children = new Set<Child>();
  const slots: Promise<void>[] = [];
  let leaseUntil = 0;
  let forked = 0;
  let fatal: string | undefined;

  const drain = (): void => {
    if (draining.signal.aborted) return;
    log.info("draining: finishing what is claimed");
    draining.abort();
    for (const child of children) child.send({ type: "drain" });
    sleep(config.pipeline.drain_seconds * 1_000, undefined, { signal: stopping.signal, ref: false }).then(
      stop,
      () => {},
    );
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

  /** One place in the line-up: a child, and its successors, until the end. */
  const keep = async (role: Role): Promise<void> => {
    let deaths = 0;
    while (!draining.signal.aborted) {
      forked += 1;
      const workerId = `${id}/${role === "worker" ? "w" : "o"}${forked}`;
      const child = forkChild({
        role,
        settings: {
          config,
          workerId,
          pool: allotment[role],
          // The workers and the orchestrator, alike.
          rpcShare: 1 / (config.pipeline.workers + 1),
          ...(options.only === undefined ? {} : { only: options.only }),
        },
        outputFd: options.outputFd,
      });
      children.add(child);
      tellLease(child);
      const exit = await child.exited;
      children.delete(child);
      const expected = draining.signal.aborted && exit.code === 0;
      if (!expected) await bury(child, exit);
      await unregisterWorker(pool, workerId).catch(() => {});
      if (exit.fatal !== undefined) {
        fatal ??= exit.fatal;
        stop();
      }
      deaths = countDeath(deaths, exit.livedMs);
      await sleep(respawnDelay(deaths), undefined, { signal: draining.signal }).catch(() => {});
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
      maxDeaths: config.pipeline.max_attempts,
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
    leaseMs: config.database.lease_seconds * 1_000,
    retryMs: 200,
    signal: leaseEnds.signal,
    async onHeld(session, event, validForMs) {
      leaseUntil = performance.now() + validForMs;
      for (const child of children) tellLease(child);
      const rows = lineUp();
      const states = rows.map(({ workerId, state }) => `${workerId} ${state}`).join();
      const due = performance.now() - registeredAt > registerEveryMs;
      if (event === "taken" || states !== registered || due) {
        await registerWorkers(session, rows);
        registered = states;
        registeredAt = performance.now();
      }
      if (event === "taken") log.info({ supervisor: id }, "holding the lease of this host");
    },
    onLost(error) {
      log.warn({ reason: redact(describeError(error)) }, "the lease of this host is lost; taking it again");
    },
  });

  const watch = watchHeartbeats({ children, hungMs: config.pipeline.hung_seconds * 1_000, log });
  slots.push(keep("orchestrator"));
  for (let i = 0; i < config.pipeline.workers; i += 1) slots.push(keep("worker"));

  const ended = (async () => {
    await Promise.all(slots);
    clearInterval(watch);
    stopping.abort();
    await unregisterSupervisor(pool, id).catch(() => {});
    leaseEnds.abort();
    await lease;
    await pool.end();
    return { fatal };
  })();

  return { id, drain, stop, ended };
}

/** Kills children that are not heard of. A pause of this process itself is not held against them. */
function watchHeartbeats({
  children,
  hungMs,
  log,
}: {
  children: Set<Child>;
  hungMs: number;
  log: Log;
}): NodeJS.Timeout {
  let lastLook = performance.now();
  let pausedUntil = 0;
  return setInterval(() => {
    const now = performance.now();
    if (now - lastLook > 3 * heartbeatMs) pausedUntil = now + hungMs;
    lastLook = now;
    if (now < pausedUntil) return;
    for (const child of children) {
      if (child.silentMs() < hungMs) continue;
      log.error(
        { worker: child.workerId, childPid: child.pid, silentMs: Math.round(child.silentMs()) },
        "hung: killing it",
      );
      child.kill("SIGKILL");
    }
  }, heartbeatMs);
}
