// SIGSTOP for longer than a lease, then SIGCONT: zombies. What they still write after they lost their claims, the
// effects would tell: a completion without its token.

import { setTimeout as sleep } from "node:timers/promises";
import { signal } from "../host.js";
import { mark, measure } from "../recovery.js";
import type { Scenario } from "../scenario.js";
import type { World } from "../world.js";
import { awaitClaims, workerWithClaims } from "./kill.js";

const hostFrozen = "host frozen, to the next claim of its blocks by another host";

export const freeze: Scenario = {
  name: "freeze",
  about:
    "SIGSTOP of a worker, the orchestrator, the supervisor or all of them, longer than their lease; then SIGCONT",
  takes: ["processes"],
  weight: 2,
  async inject(world, random) {
    const daemon = await world.host.running();
    const who = random.pick(["worker", "orchestrator", "supervisor", "everything"] as const);
    const pids = {
      worker: async () => [((await workerWithClaims(world, daemon)) ?? random.pick(daemon.workers())).pid],
      orchestrator: async () => [daemon.orchestrator().pid],
      supervisor: async () => [daemon.pid],
      everything: async () => daemon.pids(),
    };
    const frozen = await pids[who]();
    world.tally.fault(`freeze of ${who === "everything" ? "all processes" : `the ${who}`}`);
    for (const pid of frozen) signal(pid, "SIGSTOP");
    // Longer than the lease and than pipeline.hung_seconds: a hung child is killed as it sleeps.
    await sleep(leaseMs(world) + 500 + random.below(1_500));
    const from = await mark(world);
    const since = world.clock();
    for (const pid of frozen) signal(pid, "SIGCONT");
    await measure(world, from, {
      what: `${who} thawed, to the next claim`,
      since,
      wanted: { event: "claim" },
    });
    await world.host.running();
  },
};

export function leaseMs(world: World): number {
  return (world.options.leaseSeconds ?? 4) * 1_000;
}

export const freezeHost: Scenario = {
  name: "freeze-host",
  about:
    "a second host is frozen with its claims; the first takes them; the second thaws and writes nothing of them",
  takes: ["processes", "hosts", "node"],
  weight: 1,
  bounds: { [hostFrozen]: 5_000 },
  async inject(world, random) {
    const other = world.addHost(`frozen-${random.below(1_000)}`, {
      config: { pipeline: { workers: 2, batch_size: 5, hung_seconds: 120 } },
    });
    try {
      const daemon = await other.start();
      await awaitClaims(world, daemon);
      const pids = daemon.pids();
      for (const pid of pids) signal(pid, "SIGSTOP");
      world.tally.fault("freeze of a second host");
      await world.node.clearFaults();
      const from = await mark(world);
      const since = world.clock();
      const held = await world.ask<{ id: number }>(
        `update processing_jobs set priority = 1000000
         where status = 'processing' and starts_with(worker_id, $1) returning id::float8 as id`,
        [daemon.supervisorId],
      );
      if (held.length > 0) {
        const wanted = {
          event: "claim",
          jobs: held.map(({ id }) => id),
          notBy: `blockmill ${daemon.supervisorId}`,
        } as const;
        await measure(world, from, { what: hostFrozen, since, wanted });
      } else await sleep(leaseMs(world));
      for (const pid of pids) signal(pid, "SIGCONT");
      await sleep(500 + random.below(1_000));
      await other.stop();
    } finally {
      await world.node.clearFaults();
      await world.forget(other);
    }
  },
};
