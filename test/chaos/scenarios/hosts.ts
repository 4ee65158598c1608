// More than one host on a schema.

import { setTimeout as sleep } from "node:timers/promises";
import { mark, measure } from "../recovery.js";
import type { Scenario } from "../scenario.js";
import { awaitClaims } from "./kill.js";

const hostLost = "host lost, to the next claim of its blocks by another host";

export const twoDaemons: Scenario = {
  name: "two-daemons",
  about: "a second host of another configuration joins, works, and is drained or lost",
  takes: ["hosts", "node"],
  weight: 1,
  bounds: { [hostLost]: 5_000 },
  async inject(world, random) {
    const host = world.addHost(`b${random.below(1_000)}`, {
      config: {
        pipeline: {
          workers: 1 + random.below(2),
          batch_size: 1 + random.below(5),
          check_interval: 1,
          auto_enqueue: random.chance(0.5),
        },
        database: { lease_seconds: 2 + random.below(3), pool_size: 8 },
        queue: { archive_minutes: 1, completed_kept: 100 },
      },
    });
    try {
      const daemon = await host.start();
      world.tally.fault("second host joins");
      await sleep(500 + random.below(2_000));
      if (random.chance(0.4)) {
        world.tally.fault("second host drained");
        await host.stop();
        return;
      }
      await awaitClaims(world, daemon);
      const from = await mark(world);
      const since = world.clock();
      world.tally.fault("second host lost");
      host.kill(daemon.pids());
      await world.node.clearFaults();
      const held = await world.ask<{ id: number }>(
        `update processing_jobs set priority = 1000000
         where status = 'processing' and starts_with(worker_id, $1) returning id::float8 as id`,
        [daemon.supervisorId],
      );
      if (held.length === 0) return;
      await measure(world, from, {
        what: hostLost,
        since,
        wanted: { event: "claim", jobs: held.map(({ id }) => id), notBy: `blockmill ${daemon.supervisorId}` },
      });
    } finally {
      await world.node.clearFaults();
      await world.forget(host);
    }
  },
};

/** What the last block's worker and its supervisor take to end. */
const endMs = 100;
const drained = "drain on SIGTERM, by how much it is longer than the host's longest block";

export const drain: Scenario = {
  name: "drain",
  about: "SIGTERM to a second host that holds claims, while every answer of the node takes a while",
  takes: ["hosts", "node", "server", "processes"],
  weight: 1,
  bounds: { [drained]: endMs },
  async inject(world, random) {
    const host = world.addHost(`d${random.below(1_000)}`, { config: { pipeline: { workers: 2 } } });
    try {
      const daemon = await host.start();
      const { effect } = await mark(world);
      if (!(await awaitClaims(world, daemon))) return;
      await sleep(random.below(300));
      world.tally.fault("SIGTERM under load");
      const wasAlone = world.isAlone;
      const asked = performance.now();
      await host.stop();
      const ms = performance.now() - asked;
      const [row] = await world.ask<{ ms: number | null }>(longestBlock, [
        effect,
        `blockmill ${daemon.supervisorId}/`,
      ]);
      if (row?.ms != null)
        world.tally.recovered(drained, Math.max(0, ms - row.ms), wasAlone && world.isAlone);
    } finally {
      await world.node.clearFaults();
      await world.forget(host);
    }
  },
};

/** The longest time from a claim to its completion, of one host's workers. */
const longestBlock = `
  select extract(epoch from max(completed.at - claimed.at))::float8 * 1000 as ms
  from chaos_effects completed join chaos_effects claimed using (job_id, worker, claims)
  where completed.id > $1 and starts_with(completed.who, $2) and completed.new_status = 'completed'
    and claimed.id > $1 and claimed.new_status = 'processing'`;
