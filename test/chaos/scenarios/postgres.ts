// What happens to PostgreSQL: sessions that are ended, backends that crash, servers that stop and come back, and
// no connection to be had.

import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { signal } from "../host.js";
import { mark, measure } from "../recovery.js";
import { needsOwnServer, type Scenario } from "../scenario.js";
import { isAway, type World } from "../world.js";

const kinds: Record<string, string> = {
  lease: "application_name like 'blockmill % lease'",
  listening: "application_name like 'blockmill % listen'",
  worker: "application_name ~ '/w[^ ]*$'",
  orchestrator: "application_name ~ '/o[^ ]*$'",
  supervisor: "application_name ~ '^blockmill [^/ ]+$'",
  every: "application_name like 'blockmill %'",
};

export const terminateBackends: Scenario = {
  name: "terminate-backends",
  about: "pg_terminate_backend of each kind of connection",
  takes: [],
  weight: 4,
  async inject(world, random) {
    const kind = random.pick(Object.keys(kinds));
    const from = await mark(world);
    const rows = await world.ask<{ at: number }>(
      `select pg_terminate_backend(pid), extract(epoch from clock_timestamp())::float8 * 1000 as at
       from pg_stat_activity where datname = current_database() and ${kinds[kind]}`,
    );
    if (rows.length === 0) return;
    world.tally.fault(`${kind} connection terminated`, rows.length);
    const since = rows.at(-1)?.at ?? world.clock();
    await measure(world, from, {
      what: `${kind} connections terminated, to the next claim`,
      since,
      wanted: { event: "claim" },
    });
  },
};

const backToClaim = "PostgreSQL back, to the first claim";

export const postgresCrash: Scenario = {
  name: "postgres-crash",
  about: "kill -9 of a backend of the program: the server restarts itself, and every session is gone",
  takes: ["server"],
  weight: 2,
  bounds: { [backToClaim]: 1_000 },
  unable: needsOwnServer,
  async inject(world, random) {
    const backends = await world.ask<{ pid: number }>(
      "select pid from pg_stat_activity where datname = current_database() and application_name like 'blockmill %'",
    );
    if (backends.length === 0) return;
    const from = await mark(world);
    world.tally.fault("kill -9 of a backend");
    signal(random.pick(backends).pid, "SIGKILL");
    await untilItEnds(world);
    await untilItAnswers(world);
    await measure(world, from, { what: backToClaim, since: world.clock(), wanted: { event: "claim" } });
  },
};

export const postgresRestart: Scenario = {
  name: "postgres-restart",
  about: "the server is stopped (fast, immediate, or as if the power went) and started, again and again",
  takes: ["server"],
  weight: 2,
  bounds: { [backToClaim]: 1_000 },
  unable: needsOwnServer,
  async inject(world, random) {
    const { server } = world;
    if (server === undefined) return;
    for (let left = 1 + random.below(3); left > 0; left -= 1) {
      const from = await mark(world);
      const how = random.pick(["fast", "immediate", "power cut"] as const);
      world.tally.fault(`PostgreSQL stopped (${how})`);
      if (how === "power cut") await server.kill();
      else await server.stop(how);
      await sleep(random.below(1_500));
      await server.start();
      await untilItAnswers(world);
      await measure(world, from, { what: backToClaim, since: world.clock(), wanted: { event: "claim" } });
    }
  },
};

/** Resolves when the server has noticed the death of a backend, and ended all others. */
async function untilItEnds(world: World): Promise<void> {
  const deadline = performance.now() + 2_000;
  while (performance.now() < deadline) {
    try {
      await world.pool.query("select 1");
      await sleep(2);
    } catch {
      return;
    }
  }
}

/** Resolves as soon as a connection can be made. */
export async function untilItAnswers({ adminUrl }: World): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const client = new pg.Client({ connectionString: adminUrl, application_name: "chaos" });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (!isAway(error) || performance.now() > deadline) throw error;
      await sleep(10);
    }
  }
}

export const maxConnections: Scenario = {
  name: "max-connections",
  about: "strangers take every connection there is, and the program's are ended; then they go",
  takes: ["server"],
  weight: 1,
  unable: needsOwnServer,
  async inject(world, random) {
    const strangers: pg.Client[] = [];
    try {
      const taken = new Set<pg.Client>();
      const fill = async (): Promise<void> => {
        for (let tries = 0; tries < 100; tries += 1) {
          const client = new pg.Client({ connectionString: world.url, application_name: "a stranger" });
          client.on("error", () => {});
          try {
            await client.connect();
            strangers.push(client);
            taken.add(client);
          } catch {
            return;
          }
        }
      };
      await fill();
      world.tally.fault("every connection taken");
      await world.ask(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name like 'blockmill %'`,
      );
      await fill();
      await sleep(500 + random.below(1_500));
      const from = await mark(world);
      const since = world.clock();
      await Promise.all(strangers.splice(0).map((client) => client.end().catch(() => {})));
      await measure(world, from, {
        what: "connections free again, to the first claim",
        since,
        wanted: { event: "claim" },
      });
    } finally {
      await Promise.all(strangers.map((client) => client.end().catch(() => {})));
    }
  },
};

/** SQLSTATEs that are nobody's fault: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const refusals: Record<string, string> = {
  "40001": "serialization failure",
  "40P01": "deadlock, as PostgreSQL says it",
  "57014": "statement cancelled",
  "53100": "disk full, as PostgreSQL says it",
  "53200": "out of memory",
  "55P03": "lock not available",
  "58030": "I/O error",
};

export const refusedCommits: Scenario = {
  name: "refused-commits",
  about: "serialization failures, deadlocks, timeouts and I/O errors out of every second commit",
  takes: ["locks"],
  weight: 2,
  async inject(world, random) {
    const code = random.pick(Object.keys(refusals));
    await world.ask("update chaos_control set refuse = $1, share = $2", [code, random.pick([0.1, 0.5, 1])]);
    world.tally.fault(`commits refused: ${refusals[code]}`);
    await sleep(300 + random.below(1_200));
    const from = await mark(world);
    await world.ask("update chaos_control set refuse = null");
    await measure(world, from, {
      what: "commits accepted again, to the next completion",
      since: world.clock(),
      wanted: { event: "completion" },
    });
  },
};
