// Deaths at named points of a block's way. No hook in the program: the points are reached from outside, by an
// answer that does not come, a lock that is not given, a COMMIT that waits.

import { setTimeout as sleep } from "node:timers/promises";
import type { DaemonChild } from "../../support/daemon.js";
import { waitFor } from "../../support/process.js";
import { gateLock } from "../effects.js";
import { mark } from "../recovery.js";
import type { Scenario } from "../scenario.js";
import type { World } from "../world.js";
import { killAndMeasure, workerWithClaims } from "./kill.js";
import { ignoringAway } from "./locks.js";

/** The same up to four times in a row: each point is to be struck hundreds of times in an hour. */
function inBursts(scenario: Scenario): Scenario {
  return {
    ...scenario,
    async inject(world, random) {
      for (let left = 1 + random.below(4); left > 0; left -= 1) await scenario.inject(world, random);
    },
  };
}

export const killAfterClaim: Scenario = inBursts({
  name: "kill-after-claim",
  about: "kill -9 of a worker at the moment when its claim is seen",
  takes: ["processes"],
  weight: 5,
  async inject(world) {
    const { effect } = await mark(world);
    const claimed = async (): Promise<DaemonChild | undefined> => {
      const [row] = await world.ask<{ worker: string }>(
        `select worker from chaos_effects where id > $1 and kind = 'job' and new_status = 'processing'
         order by id desc limit 1`,
        [effect],
      );
      return workerOf(world, row?.worker);
    };
    const victim = await waitFor(claimed, { what: "a claim", timeoutMs: 3_000, everyMs: 2 }).catch(() => {});
    if (victim === undefined) return;
    await killAndMeasure(world, victim, { point: "after its claim" });
  },
});

export const killMidFetch: Scenario = inBursts({
  name: "kill-mid-fetch",
  about: "kill -9 of a worker that waits for the node's answer",
  takes: ["processes", "node"],
  weight: 5,
  async inject(world, random) {
    const daemon = await world.host.running();
    await world.node.setFaults({ latencyMs: 400 });
    try {
      const victim = await workerWithClaims(world, daemon);
      if (victim === undefined) return;
      await sleep(50 + random.below(250));
      await killAndMeasure(world, victim, {
        point: "while it fetches",
        undo: () => world.node.clearFaults(),
      });
    } finally {
      await world.node.clearFaults();
    }
  },
});

export const killBeforeCommit: Scenario = inBursts({
  name: "kill-before-commit",
  about: "kill -9 of a worker that has completed its jobs and waits to write their logs",
  takes: ["processes", "locks"],
  weight: 5,
  inject: (world, random) =>
    ignoringAway(() =>
      world.asPerson(async (person) => {
        await person.query("begin");
        await person.query("lock table logs in share mode");
        const victim = await waiter(world, person);
        if (victim === undefined) return;
        const { effect } = await mark(world);
        await killAndMeasure(world, victim, {
          point: "before its commit",
          undo: async () => {
            await sleep(random.below(200));
            await person.query("rollback");
          },
        });
        const written = await world.ask<{ block: number }>(
          "select block::float8 as block from chaos_effects where id > $1 and new_status = 'completed' and worker = $2",
          [effect, victim.workerId],
        );
        for (const { block } of written)
          world.tally.brokenBy("was completed by a worker that died before its commit", block);
      }),
    ),
});

export const killInCommit: Scenario = inBursts({
  name: "kill-in-commit",
  about: "kill -9 of a worker that has sent COMMIT and has no answer: it is committed, or it is not",
  takes: ["processes", "locks"],
  weight: 5,
  inject: (world, random) =>
    ignoringAway(() =>
      world.asPerson(async (person) => {
        await person.query("select pg_advisory_lock($1)", [gateLock]);
        try {
          await world.ask("update chaos_control set gate = true");
          const victim = await waiter(world, person);
          if (victim === undefined) return;
          // The lock is given as it dies: who is first, the commit or its supervisor, is left to chance.
          const jobs = await killAndMeasure(world, victim, {
            point: "in its commit",
            undo: async () => {
              await sleep(random.below(20));
              await person.query("select pg_advisory_unlock($1)", [gateLock]);
            },
          });
          const made = await world.ask(
            "select from chaos_effects where job_id = any ($1) and new_status = 'completed' and worker = $2",
            [jobs, victim.workerId],
          );
          const which = made.length > 0 ? "were made although" : "were not made because";
          world.tally.outcome(`commits that ${which} their worker died in them`);
        } finally {
          await world.ask("update chaos_control set gate = false");
        }
      }),
    ),
});

/** The worker whose session waits for a lock of this person's; undefined: none did within a second. */
async function waiter(
  world: World,
  person: { query(sql: string): Promise<{ rows: { pid: number }[] }> },
): Promise<DaemonChild | undefined> {
  const { rows } = await person.query("select pg_backend_pid() as pid");
  const look = async (): Promise<DaemonChild | undefined> => {
    const waiting = await world.ask<{ who: string }>(
      `select application_name as who from pg_stat_activity
       where $1 = any (pg_blocking_pids(pid)) and application_name ~ '/w[^ ]*$'`,
      [rows[0]?.pid],
    );
    return waiting.flatMap(({ who }) => workerOf(world, who.replace("blockmill ", "")) ?? []).at(0);
  };
  return waitFor(look, { what: "a worker that waits", timeoutMs: 3_000, everyMs: 5 }).catch(() => undefined);
}

/** The living worker of the world's first host that has this id. */
function workerOf(world: World, id: string | undefined): DaemonChild | undefined {
  return world.host.daemon?.workers().find(({ workerId }) => workerId === id);
}
