// The supervisor: forks the orchestrator and the workers, holds the host's lease, replaces who dies,
// kills who hangs, and ends them all in order. It does no chain work, so that its event loop never
// stalls: the lease and the heartbeats hang on it.

import type { BlockSpan } from "../block.js";
import { connectionOptions } from "../child/connections.js";
import { ruleSettings } from "../config/alert-rules.js";
import type { Config } from "../config/schema.js";
import { createPool } from "../db/pool.js";
import type { Logger } from "../logger.js";
import { Counts } from "../metrics/counts.js";
import { noteMark } from "../queue/marks.js";
import { unregisterSupervisor } from "../queue/workers.js";
import type { Redact } from "../redact.js";
import { allotConnections } from "./allot-connections.js";
import { bury, isDeath } from "./bury.js";
import { createView } from "./create-view.js";
import { Ending } from "./ending.js";
import { HostLease } from "./host-lease.js";
import { createSupervisorId } from "./identity.js";
import { followInstallation, type Installation } from "./installation.js";
import { LineUp } from "./line-up.js";
import type { LoadedAhead } from "./load-ahead.js";
import type { Generation } from "./place.js";
import { releasePredecessors } from "./predecessors.js";
import { recycleWorkers } from "./recycle-workers.js";
import { Registration } from "./registration.js";
import { Reload } from "./reload.js";
import { scaleWorkers } from "./scale-workers.js";
import { Scaling } from "./scaling.js";
import { lookAtNodes, lookAtWorkers, type Snapshot } from "./snapshot.js";
import { StartLimit } from "./start-limit.js";
import { createLoopAlert } from "./tell-loop.js";
import { Turns } from "./turns.js";
import { watchHead } from "./watch-head.js";
import { watchHeartbeats } from "./watch-heartbeats.js";

export interface SupervisorOptions {
  config: Config;
  version: string;
  log: Logger;
  redact: Redact;
  /** Claim only these blocks, inclusive. */
  only?: BlockSpan | undefined;
  /** Where the children's log lines go: file descriptor 1 or 2. */
  outputFd: 1 | 2;
  /** ChildSettings.runtimeDirectory */
  runtimeDirectory?: string | undefined;
  /** Look at the head now and then, for `snapshot`. */
  watchHead?: boolean;
  /** What an alert is to say of restarts; undefined: this is no loop. */
  restartLoop?: string | undefined;
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

/** Starts a supervisor. Throws a ConfigError when the configuration cannot work; a database that is down is waited for. */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const { log, redact, version, only, ahead, outputFd } = options;
  const id = ahead?.supervisorId ?? createSupervisorId();
  const newestInstallation = followInstallation();
  let generation: Generation = {
    config: options.config,
    allotment: allotConnections(options.config),
    installation: newestInstallation(),
  };
  const pipeline = () => generation.config.pipeline;
  const connection = connectionOptions(options.config, id);
  const pool = createPool({ ...connection, ...generation.allotment.supervisor });

  const ending = new Ending(log);
  const { draining, stopping } = ending;
  const drain = (): void => ending.drain(lineUp.children, pipeline().drain_seconds * 1_000);
  const stop = (): void => {
    drain();
    ending.stop(lineUp.children);
  };
  let fatal: string | undefined;
  let deaths = 0;
  const counts = new Counts();
  const view = createView({
    supervisorId: id,
    version,
    counts,
    draining,
    children: () => lineUp.children,
    workersWanted: () => lineUp.workers(),
    lease: () => lease,
  });

  const startLimit = new StartLimit();
  const burial = { pool, log, redact, counts, maxDeaths: () => pipeline().max_attempts, draining, stopping };
  const lineUp = new LineUp({
    supervisorId: id,
    ahead,
    only,
    outputFd,
    startLimit,
    log,
    newestInstallation,
    leaseForMs: (): number => lease.forMs(),
    draining,
    async onExit(child, exit, asked) {
      if (isDeath(child, { exit, asked })) deaths += 1;
      await bury(burial, child, { exit, asked });
    },
    onFatal(message) {
      fatal ??= message;
      stop();
    },
    runtimeDirectory: options.runtimeDirectory,
    onCounted: (counted) => counts.merge(counted),
    view,
  });
  const { children } = lineUp;

  const head = watchHead();
  const loopAlert = createLoopAlert(
    options.restartLoop,
    ruleSettings(options.config.alerts.rules).crash_loop,
    log,
  );
  const leaseEnds = new AbortController();
  let predecessors: Promise<unknown> | undefined;
  const lease = new HostLease({
    supervisorId: id,
    connection,
    leaseMs: options.config.database.lease_seconds * 1_000,
    children,
    registration: new Registration({ supervisorId: id, version, children, deaths: () => deaths }),
    async onPing(session) {
      predecessors ??= releasePredecessors({ ...burial, supervisorId: id, maxDeaths: burial.maxDeaths() });
      await loopAlert.look(session);
      if (options.watchHead) await head.look(session);
    },
    log,
    redact,
    signal: leaseEnds.signal,
  });
  const hungMs = (): number => pipeline().hung_seconds * 1_000;
  const watch = watchHeartbeats({ children, hungMs, startLimit, log });

  const turns = new Turns();
  const scaling = new Scaling(generation.allotment.workers);
  const filled = turns.take(() => lineUp.fill(generation, generation.allotment.workers.min));
  const reload = new Reload({
    started: options.config,
    newestInstallation,
    rollTo: (next) =>
      turns.take(async () => {
        const { workers } = next.allotment;
        await lineUp.rollTo(next, Math.max(workers.min, Math.min(workers.max, lineUp.workers())));
        generation = next;
        scaling.rebound(workers);
      }),
    // Only the page's charts miss it where the database is away.
    onReloaded: () => noteMark(pool, "reload", `${id} took a new configuration`).catch(() => {}),
    draining,
    log,
  });
  const tending = [
    scaleWorkers({
      pool,
      scaling,
      children,
      only,
      wanted() {
        const { min, max } = generation.allotment.workers;
        return min === max || turns.isBusy ? undefined : lineUp.workers();
      },
      completed: () => lineUp.completed(),
      async resize(wanted) {
        log.info({ workers: wanted, before: lineUp.workers() }, "changing the number of workers");
        await turns.take(() => lineUp.resize(wanted, generation));
      },
      signal: draining,
    }),
    recycleWorkers({
      children,
      limits: () => ({ memoryMb: pipeline().worker_memory_mb, jobs: pipeline().worker_jobs }),
      recycle: (child) => turns.take(() => lineUp.recycle(child, generation)),
      log,
      signal: draining,
    }),
  ];

  const snapshot = (): Snapshot => {
    const { up, waitingFor } = lookAtWorkers(children);
    return {
      phase: draining.aborted ? "draining" : reload.isUnderWay ? "reloading" : "working",
      workers: { wanted: lineUp.workers(), up },
      completed: lineUp.completed(),
      ...head.seen(),
      databaseAwayMs: lease.lostForMs(),
      databaseSays: lease.lostReason(),
      nodeAway: lookAtNodes(children),
      waitingFor,
      well: watch.well(),
    };
  };

  const ended = (async () => {
    try {
      await filled;
      await lineUp.emptied();
      await Promise.all(tending);
    } finally {
      // Whatever went wrong, nothing of it may keep the process alive.
      stop();
      watch.close();
      ending.isOver();
      leaseEnds.abort();
      await lease.ended;
      await predecessors;
      // After the last ping, which registers them.
      await unregisterSupervisor(pool, id).catch(() => {});
      await pool.end();
    }
    return { fatal };
  })();

  return { id, drain, stop, reload: (check) => reload.run(check), snapshot, ended };
}
