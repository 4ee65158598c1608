// The network between the daemons and PostgreSQL: packets that vanish, with nobody told. A packet filter of the
// suite's own, which matches nothing but this server's port.

import { execFile, execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { waitFor } from "../../support/process.js";
import { onEnd } from "../guard.js";
import { mark, measure } from "../recovery.js";
import { needsOwnServer, needsRoot, type Scenario } from "../scenario.js";
import { recoveryLimitMs } from "../tally.js";
import { livingWorkers } from "../watch.js";
import type { World } from "../world.js";
import { leaseMs } from "./freeze.js";
import { awaitClaims, workerWithClaims } from "./kill.js";

const run = promisify(execFile);
let tables = 0;

/** Why packets cannot be dropped here. */
function unable(world: World): string | undefined {
  return needsRoot() ?? needsOwnServer(world) ?? (canFilter() ? undefined : "nft cannot make a table here");
}

function canFilter(): boolean {
  const table = `chaos_probe_${process.pid}`;
  try {
    execFileSync("nft", ["add", "table", "ip", table], { stdio: "ignore" });
    execFileSync("nft", ["delete", "table", "ip", table], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Drops what matches, in both directions, until the returned function is called. */
async function drop(matches: readonly string[]): Promise<() => Promise<void>> {
  tables += 1;
  const table = `chaos_${process.pid}_${tables}`;
  const restore = onEnd(`nft delete table ip ${table}`);
  const rules = matches.map((match) => `add rule ip ${table} input ${match} drop`);
  await run("nft", [
    [
      `add table ip ${table}`,
      `add chain ip ${table} input { type filter hook input priority 0; }`,
      ...rules,
    ].join("; "),
  ]);
  return restore;
}

/** Both directions of connections to the server that come from these ports. */
function fromPorts(port: number, ports: readonly number[]): string[] {
  const set = `{ ${ports.join(", ")} }`;
  return [`tcp dport ${port} tcp sport ${set}`, `tcp sport ${port} tcp dport ${set}`];
}

const halfOpen = "listening connections dead in silence, until new ones listen";

export const silentListeners: Scenario = {
  name: "silent-listeners",
  about: "every packet of the listening connections is dropped, and nobody is told",
  takes: ["server", "processes"],
  weight: 1,
  bounds: { [halfOpen]: 5_000 },
  unable,
  async inject(world) {
    const { server } = world;
    if (server === undefined) return;
    const listening = () =>
      world.ask<{ who: string; port: number }>(
        `select application_name as who, client_port as port from pg_stat_activity
         where application_name like 'blockmill %/w% listen'`,
      );
    const dead = await listening();
    if (dead.length === 0) return;
    const restore = await drop(
      fromPorts(
        server.port,
        dead.map(({ port }) => port),
      ),
    );
    const since = world.clock();
    world.tally.fault("listening connections dead in silence");
    const wasAlone = world.isAlone;
    try {
      const noticed = async (): Promise<boolean> => {
        const old = new Set(dead.map(({ port }) => port));
        const renewed = new Set(
          (await listening()).filter(({ port }) => !old.has(port)).map(({ who }) => who),
        );
        // One that died of another fault, with its host or without, needs no new one.
        const living = livingWorkers();
        return dead.every(({ who }) => renewed.has(who) || !living.has(who.split(" ")[1] ?? ""));
      };
      const ms = await waitFor(noticed, {
        what: "new listeners",
        timeoutMs: recoveryLimitMs,
        everyMs: 50,
      }).then(
        () => world.clock() - since,
        () => undefined,
      );
      world.tally.recovered(halfOpen, ms, wasAlone && world.isAlone);
    } finally {
      await restore();
    }
  },
};

const workerCut = "a worker's connections dead in silence, until it has settled what it held";

export const silentWorker: Scenario = {
  name: "silent-worker",
  about: "every packet of one worker's connections is dropped for seconds, while the others go on",
  takes: ["server", "processes"],
  weight: 1,
  unable,
  async inject(world, random) {
    const { server } = world;
    if (server === undefined) return;
    const victim = await workerWithClaims(world, await world.host.running());
    if (victim === undefined) return;
    const ports = await world.ask<{ port: number }>(
      "select client_port as port from pg_stat_activity where application_name = $1",
      [`blockmill ${victim.workerId}`.slice(0, 63)],
    );
    if (ports.length === 0) return;
    const restore = await drop(
      fromPorts(
        server.port,
        ports.map(({ port }) => port),
      ),
    );
    const since = world.clock();
    world.tally.fault("a worker's connections dead in silence");
    try {
      const held = await world.ask<{ id: number; claims: number }>(
        `select id::float8 as id, claims from processing_jobs where status = 'processing' and worker_id = $1`,
        [victim.workerId],
      );
      await sleep(2_000 + random.below(4_000));
      // It may come back by itself: TCP sends again what was not acknowledged.
      await restore();
      const settled = async (): Promise<boolean> =>
        (
          await world.ask(
            `select from processing_jobs, unnest($1::bigint[], $2::int[]) as held (id, claim)
             where processing_jobs.id = held.id and claims = held.claim and status = 'processing'`,
            [held.map(({ id }) => id), held.map(({ claims }) => claims)],
          )
        ).length === 0;
      const wasAlone = world.isAlone;
      const ms = await waitFor(settled, {
        what: "its claims to be settled",
        timeoutMs: recoveryLimitMs,
        everyMs: 20,
      }).then(
        () => world.clock() - since,
        () => undefined,
      );
      if (held.length > 0) world.tally.recovered(workerCut, ms, wasAlone && world.isAlone);
    } finally {
      await restore();
    }
  },
};

export const lossyNetwork: Scenario = {
  name: "lossy-network",
  about: "a fifth of all packets between the program and the server is lost, for seconds",
  takes: ["server"],
  weight: 1,
  unable,
  async inject(world, random) {
    const { server } = world;
    if (server === undefined) return;
    const ports = await world.ask<{ port: number }>(
      "select client_port as port from pg_stat_activity where application_name like 'blockmill %'",
    );
    if (ports.length === 0) return;
    const lost = "numgen random mod 100 < 20";
    const matches = fromPorts(
      server.port,
      ports.map(({ port }) => port),
    ).map((match) => `${match} ${lost}`);
    const restore = await drop(matches);
    world.tally.fault("a fifth of the packets lost");
    await sleep(1_500 + random.below(3_000));
    const from = await mark(world);
    await restore();
    await measure(world, from, {
      what: "packets arrive again, to the next claim",
      since: world.clock(),
      wanted: { event: "claim" },
    });
  },
};

const hostCut = "host cut off, to the next claim of its blocks by another host";

export const hostCutOff: Scenario = {
  name: "host-cut-off",
  about: "a second host loses the network to the database and gets it back, while the first goes on",
  takes: ["server", "hosts", "processes", "node"],
  weight: 1,
  bounds: { [hostCut]: 5_000 },
  unable,
  async inject(world, random) {
    const { server } = world;
    if (server === undefined) return;
    const other = world.addHost(`cut-${random.below(1_000)}`, {
      config: { pipeline: { workers: 2, batch_size: 5 } },
      url: world.otherUrl,
    });
    try {
      const daemon = await other.start();
      await awaitClaims(world, daemon);
      const from = await mark(world);
      const restore = await drop([
        `ip daddr 127.0.0.2 tcp dport ${server.port}`,
        `ip saddr 127.0.0.2 tcp sport ${server.port}`,
      ]);
      const since = world.clock();
      world.tally.fault("second host cut off");
      await world.node.clearFaults();
      try {
        const held = await world.ask<{ id: number }>(
          `update processing_jobs set priority = 1000000
           where status = 'processing' and starts_with(worker_id, $1) returning id::float8 as id`,
          [daemon.supervisorId],
        );
        const theirs = `blockmill ${daemon.supervisorId}`;
        if (held.length > 0)
          await measure(world, from, {
            what: hostCut,
            since,
            wanted: { event: "claim", jobs: held.map(({ id }) => id), notBy: theirs },
          });
        else await sleep(leaseMs(world) + 1_000);
      } finally {
        await restore();
      }
      const again = await mark(world);
      await measure(world, again, {
        what: "host connected again, to its first claim",
        since: world.clock(),
        wanted: { event: "claim", by: `blockmill ${daemon.supervisorId}` },
      });
      await other.stop();
    } finally {
      await world.node.clearFaults();
      await world.forget(other);
    }
  },
};
