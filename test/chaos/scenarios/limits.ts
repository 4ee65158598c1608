// What the kernel refuses a process: file descriptors, memory, time to write its log, and the true time of day.

import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { DaemonChild } from "../../support/daemon.js";
import { alive, waitFor } from "../../support/process.js";
import { mark, measure } from "../recovery.js";
import { needsOwnServer, type Scenario } from "../scenario.js";
import { isAway } from "../world.js";
import { awaitClaims, workerWithClaims } from "./kill.js";

const run = promisify(execFile);

/** Lowers a soft limit of a process, until the returned function is called. One that is gone is left alone. */
async function limit(pid: number, resource: "nofile" | "as", value: number): Promise<() => Promise<void>> {
  const { stdout } = await run("prlimit", [
    `--pid=${pid}`,
    `--${resource}`,
    "--noheadings",
    "--raw",
    "--output=SOFT",
  ]);
  const before = stdout.trim();
  const set = (soft: string | number) => run("prlimit", [`--pid=${pid}`, `--${resource}=${soft}:`]);
  await set(value);
  return async () => {
    if (alive(pid)) await set(before).catch(() => {});
  };
}

const filesAgain = "file descriptors again, to the next claim";

export const fewFiles: Scenario = {
  name: "few-files",
  about: "a process may open no more files or sockets (EMFILE), and its connections are ended",
  takes: ["processes", "server"],
  weight: 1,
  async inject(world, random) {
    const daemon = await world.host.running();
    const victim = random.pick([
      ...daemon.workers(),
      daemon.orchestrator(),
      { pid: daemon.pid, workerId: daemon.supervisorId },
    ]);
    const allow = await limit(victim.pid, "nofile", 3).catch(() => undefined);
    if (allow === undefined) return;
    try {
      world.tally.fault("no more file descriptors");
      await world.ask(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 or starts_with(application_name, $1 || ' ')",
        [`blockmill ${victim.workerId}`],
      );
      await sleep(500 + random.below(2_500));
    } finally {
      await allow();
    }
    const from = await mark(world);
    await measure(world, from, { what: filesAgain, since: world.clock(), wanted: { event: "claim" } });
  },
};

const memoryAgain = "memory refused to a worker, to the next claim";

export const noMemory: Scenario = {
  name: "no-memory",
  about: "a worker is given no more memory, and dies of it or not",
  takes: ["processes"],
  weight: 1,
  async inject(world, random) {
    const daemon = await world.host.running();
    const victim: DaemonChild = (await workerWithClaims(world, daemon)) ?? random.pick(daemon.workers());
    const allow = await limit(victim.pid, "as", 1_048_576).catch(() => undefined);
    if (allow === undefined) return;
    world.tally.fault("no more memory");
    const from = await mark(world);
    try {
      const died = await waitFor(() => !alive(victim.pid), { what: "its death", timeoutMs: 3_000 }).catch(
        () => false,
      );
      world.tally.outcome(`workers without memory that ${died ? "died of it" : "lived on"}`);
      await measure(world, from, { what: memoryAgain, since: world.clock(), wanted: { event: "claim" } });
    } finally {
      await allow();
    }
  },
};

const claimUnread = "log not read by anybody, to the next claim of the host that writes it";

export const fullPipe: Scenario = {
  name: "full-pipe",
  about: "nobody reads a second host's log any more, which fills up with errors, and then somebody does",
  takes: ["hosts", "node"],
  weight: 1,
  async inject(world, random) {
    const host = world.addHost(`mute-${random.below(1_000)}`, {
      config: { pipeline: { workers: 1 }, log: { level: "trace" } },
    });
    try {
      const daemon = await host.start();
      const { stdout } = daemon.program.child;
      stdout?.pause();
      world.tally.fault("full pipe");
      await world.node.setFaults({ errors: { rate: 0.7, answer: 500 } });
      await sleep(1_000 + random.below(2_000));
      await world.node.clearFaults();
      const from = await mark(world);
      await measure(world, from, {
        what: claimUnread,
        since: world.clock(),
        wanted: { event: "claim", by: `blockmill ${daemon.supervisorId}` },
      });
      stdout?.resume();
      await host.stop();
    } finally {
      await world.node.clearFaults();
      await world.forget(host);
    }
  },
};

const faketime = readdirSync("/usr/lib")
  .map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file));

const wrongClockClaim = "a host whose clock is wrong starts, to its first claim";

export const wrongClock: Scenario = {
  name: "wrong-clock",
  about:
    "a second host whose clock is hours off, early or late, works and is lost: only the database's counts",
  takes: ["hosts", "node"],
  weight: 1,
  unable: (world) =>
    needsOwnServer(world) ?? (faketime === undefined ? "no libfaketime (Debian: faketime)" : undefined),
  async inject(world, random) {
    const offset = `${random.chance(0.5) ? "+" : "-"}${1 + random.below(47)}h`;
    const host = world.addHost(`clock-${random.below(1_000)}`, {
      config: { pipeline: { workers: 1 } },
      env: { LD_PRELOAD: faketime, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: "1" },
    });
    try {
      const from = await mark(world);
      const since = world.clock();
      const daemon = await host.start();
      world.tally.fault("a clock hours off");
      await measure(world, from, {
        what: wrongClockClaim,
        since,
        wanted: { event: "claim", by: `blockmill ${daemon.supervisorId}` },
      });
      await sleep(random.below(2_000));
      if (random.chance(0.5)) await host.stop();
      else if (await awaitClaims(world, daemon)) host.kill(daemon.pids());
    } catch (error) {
      if (!isAway(error)) throw error;
    } finally {
      await world.node.clearFaults();
      await world.forget(host);
    }
  },
};
