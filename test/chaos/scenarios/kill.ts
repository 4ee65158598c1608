// kill -9 of each kind of process, and of all of them at once.

import { setTimeout as sleep } from "node:timers/promises";
import type { Daemon, DaemonChild } from "../../support/daemon.js";
import { waitFor } from "../../support/process.js";
import { signal } from "../host.js";
import { mark, measure } from "../recovery.js";
import type { Scenario } from "../scenario.js";
import type { World } from "../world.js";

const toNextClaim = "worker killed, to the next claim of one of its blocks";
const toRelease = "worker killed, to the release of its claims";
const toEveryClaim = "worker killed, until each of its blocks is claimed again";

export const killWorker: Scenario = {
  name: "kill-worker",
  about: "kill -9 of a worker that holds claims",
  takes: ["processes"],
  weight: 4,
  bounds: { [toNextClaim]: 250 },
  async inject(world, random) {
    const daemon = await world.host.running();
    const victim = (await workerWithClaims(world, daemon)) ?? random.pick(daemon.workers());
    await killAndMeasure(world, victim);
    await waitFor(() => (world.host.daemon?.workers().length ?? 0) >= daemonWorkers, {
      what: "the worker to be replaced",
      timeoutMs: 30_000,
      everyMs: 20,
    });
  },
};

/** As the suite configures them. */
export const daemonWorkers = 3;

export interface Kill {
  /** For the report: at which point of its work; undefined: at any. */
  point?: string;
  /** What to undo as soon as it is dead. */
  undo?(): Promise<unknown>;
}

/**
 * Kills a worker, and measures what becomes of what it held: its claims of the moment when it can make no more.
 * Returns their ids.
 */
export async function killAndMeasure(
  world: World,
  victim: DaemonChild,
  { point, undo }: Kill = {},
): Promise<number[]> {
  const from = await mark(world);
  const isLast = (await othersThatListen(world, victim)) === 0;
  signal(victim.pid, "SIGSTOP");
  const held = await world.ask<{ id: number }>(heldBy, [victim.workerId]);
  const jobs = held.map(({ id }) => id);
  await raise(world, jobs);
  const since = world.clock();
  world.tally.fault(point === undefined ? "kill -9 of a worker" : `kill -9 of a worker ${point}`);
  signal(victim.pid, "SIGKILL");
  await undo?.();
  if (jobs.length === 0) return jobs;
  await hurry(world, jobs);
  // The successors of those that were killed before it are still loading: nobody is there to claim.
  const who = isLast ? "the only worker that was ready killed" : "worker killed";
  const where = (what: string): string =>
    what.replace("worker killed", point === undefined ? who : `${who} ${point}`);
  const released = { event: "release", jobs } as const;
  if (point === undefined) await measure(world, from, { what: toRelease, since, wanted: released });
  if (point !== undefined) await untilGone(world, victim);
  // One that was committed in the last moment is claimed by nobody.
  const open = await world.ask(
    "select from processing_jobs where id = any ($1) and status <> 'completed' and run_at <> 'infinity'",
    [jobs],
  );
  if (open.length === 0) return jobs;
  await measure(world, from, { what: where(toNextClaim), since, wanted: { event: "claim", jobs } });
  // A reorg or a person may take a job away for good.
  if (point === undefined && world.isAlone && (await stillThere(world, jobs)))
    await measure(world, from, {
      what: where(toEveryClaim),
      since,
      wanted: { event: "claim", jobs },
      last: true,
    });
  return jobs;
}

/**
 * Puts jobs ahead of all others: what is measured is the recovery, not the backlog. Returns how many it passed over,
 * since the dead one's transaction still has them locked.
 */
async function raise(world: World, jobs: number[]): Promise<number> {
  const [row] = await world.ask<{ left: number }>(
    `with free as (
       select id from processing_jobs where id = any ($1) and priority < 1000000 for update skip locked
     ), raised as (
       update processing_jobs set priority = 1000000 where id in (select id from free)
     )
     select count(*)::int - (select count(*)::int from free) as left
     from processing_jobs where id = any ($1) and priority < 1000000`,
    [jobs],
  );
  return row?.left ?? 0;
}

/** Raises those that were locked, as soon as they come free. */
async function hurry(world: World, jobs: number[]): Promise<void> {
  for (let tries = 0; tries < 50 && (await raise(world, jobs)) > 0; tries += 1) await sleep(5);
}

const heldBy = "select id::float8 as id from processing_jobs where status = 'processing' and worker_id = $1";

/** How many other workers of its host are ready for a claim, as far as the database knows. */
async function othersThatListen(world: World, { workerId }: DaemonChild): Promise<number> {
  const [row] = await world.ask<{ others: number }>(
    `select count(*)::int as others from pg_stat_activity
     where application_name like $1 and application_name <> $2`,
    [`blockmill ${workerId.replace(/\/.*/, "")}/w% listen`, `blockmill ${workerId} listen`],
  );
  return row?.others ?? 0;
}

/** Resolves when the dead one's last session has ended: committed, rolled back, or cut off. */
async function untilGone(world: World, { workerId }: DaemonChild): Promise<void> {
  const gone = async (): Promise<boolean> =>
    (
      await world.ask("select from pg_stat_activity where application_name = $1", [
        `blockmill ${workerId}`.slice(0, 63),
      ])
    ).length === 0;
  await waitFor(gone, { what: "the dead worker's sessions to end", timeoutMs: 20_000, everyMs: 5 });
}

async function stillThere(world: World, jobs: number[]): Promise<boolean> {
  const [row] = await world.ask<{ left: number }>(
    "select count(*)::int as left from processing_jobs where id = any ($1) and run_at <> 'infinity'",
    [jobs],
  );
  return row?.left === jobs.length;
}

/** One that holds claims now; undefined: none did within two seconds. */
export async function workerWithClaims(world: World, daemon: Daemon): Promise<DaemonChild | undefined> {
  const workers = daemon.workers();
  const look = async (): Promise<DaemonChild | undefined> => {
    const rows = await world.ask<{ worker_id: string }>(
      "select worker_id from processing_jobs where status = 'processing' group by 1 order by count(*) desc",
    );
    return rows
      .flatMap(({ worker_id }) => workers.find(({ workerId }) => workerId === worker_id) ?? [])
      .at(0);
  };
  return waitFor(look, { what: "a claim", timeoutMs: 2_000 }).catch(() => undefined);
}

/**
 * Slows the node down until a worker of this daemon holds claims, which it will keep for a moment. The caller
 * clears the node's faults.
 */
export async function awaitClaims(world: World, daemon: Daemon): Promise<boolean> {
  await world.node.setFaults({ latencyMs: 500 });
  for (let tries = 0; tries < 3; tries += 1)
    if ((await workerWithClaims(world, daemon)) !== undefined) return true;
  return false;
}

const toNewHead = "orchestrator killed, to the next new head that is enqueued";

export const killOrchestrator: Scenario = {
  name: "kill-orchestrator",
  about: "kill -9 of the orchestrator that leads",
  takes: ["processes"],
  weight: 2,
  async inject(world) {
    const daemon = await world.host.running();
    const { pid, workerId } = daemon.orchestrator();
    const from = await mark(world);
    const since = world.clock();
    world.tally.fault("kill -9 of the orchestrator");
    signal(pid, "SIGKILL");
    const wanted = { event: "asked", notBy: `blockmill ${workerId}` } as const;
    await measure(world, from, { what: toNewHead, since, wanted });
  },
};

const supervisorToClaim = "supervisor killed, to the first claim of its successor";

export const killSupervisor: Scenario = {
  name: "kill-supervisor",
  about: "kill -9 of the supervisor; what systemd does is done at once",
  takes: ["processes"],
  weight: 2,
  bounds: { [supervisorToClaim]: 2_000 },
  inject: (world) =>
    killDaemon(world, "kill -9 of the supervisor", supervisorToClaim, (daemon) => [daemon.pid]),
};

const groupToClaim = "all processes killed, to the first claim of their successors";

export const killGroup: Scenario = {
  name: "kill-group",
  about: "kill -9 of every process of the daemon at once",
  takes: ["processes"],
  weight: 2,
  inject: (world) => killDaemon(world, "kill -9 of all processes", groupToClaim, (daemon) => daemon.pids()),
};

async function killDaemon(
  world: World,
  fault: string,
  what: string,
  victims: (daemon: Daemon) => number[],
): Promise<void> {
  const daemon = await world.host.running();
  const from = await mark(world);
  const pids = victims(daemon);
  const since = world.clock();
  world.tally.fault(fault);
  world.host.kill(pids);
  const wanted = { event: "claim", notBy: `blockmill ${daemon.supervisorId}` } as const;
  await measure(world, from, { what, since, wanted });
  await world.host.running();
}
