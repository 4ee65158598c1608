// The notification path, in the hands of somebody without rights.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { waitFor } from "../../support/process.js";
import { mark, measure } from "../recovery.js";
import { needsOwnServer, type Scenario } from "../scenario.js";
import { isAway } from "../world.js";
import { ignoringAway } from "./locks.js";

const lost = "hint lost while every listener was away, to the claim";

export const lostHint: Scenario = {
  name: "lost-hint",
  about: "while nothing else happens, a job is inserted in the moment when no listener is connected",
  takes: ["server", "processes", "locks", "hosts", "node", "people"],
  weight: 2,
  bounds: { [lost]: 1_000 },
  async inject(world) {
    if (!world.isAlone) return;
    await world.load.stop();
    try {
      const idle = async (): Promise<boolean> =>
        (await world.ask("select from processing_jobs where queued limit 1")).length === 0;
      if (!(await waitFor(idle, { what: "the queue to be empty", timeoutMs: 10_000 }).catch(() => false)))
        return;
      const from = await mark(world);
      await world.ask(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name like 'blockmill % listen'`,
      );
      const since = world.clock();
      if (!(await world.load.askNow(1))) return;
      world.tally.fault("hint lost");
      await measure(world, from, { what: lost, since, wanted: { event: "claim" } });
    } finally {
      world.load.start();
    }
  },
};

export const notifyFlood: Scenario = {
  name: "notify-flood",
  about: "a role without rights sends thousands of forged notifications",
  takes: [],
  weight: 1,
  async inject(world, random) {
    const role = `chaos_stranger_${random.uint32()}`;
    await world.ask(`create role ${role} login password '${role}'`);
    const url = new URL(world.url);
    url.username = role;
    url.password = role;
    const stranger = new pg.Client({ connectionString: url.href, application_name: "a stranger" });
    stranger.on("error", () => {});
    try {
      await stranger.connect();
      const pids = world.host.daemon?.pids() ?? [];
      const before = cpuMsOf(pids);
      const started = performance.now();
      let sent = 0;
      for (; performance.now() - started < 1_000; sent += 1)
        await stranger.query("select pg_notify('blockmill_jobs_public', $1)", [`{"job": ${sent}}`]);
      world.tally.fault("flood of forged notifications");
      const spent = [...cpuMsOf(pids)].reduce((sum, [pid, ms]) => sum + ms - (before.get(pid) ?? 0), 0);
      world.tally.notes.set(
        "notify-flood",
        `${sent} forged notifications in a second; the program used ${spent} ms of CPU meanwhile, its load included`,
      );
    } catch (error) {
      if (!isAway(error) && !/not queryable|was closed/i.test(String(error))) throw error;
    } finally {
      await stranger.end().catch(() => {});
      await world.ask(`drop role if exists ${role}`);
    }
  },
};

const queueFreed = "notification queue freed, to the next claim";

export const fullNotifyQueue: Scenario = {
  name: "full-notify-queue",
  about:
    "a session that listens and sleeps in a transaction lets the queue of notifications fill up: every NOTIFY fails",
  takes: ["server"],
  weight: 1,
  unable: needsOwnServer,
  async inject(world, random) {
    const [limit] = await world.ask("select from pg_settings where name = 'max_notify_queue_pages'");
    // 8 GB of notifications are not to be had in a test.
    if (limit === undefined) return;
    await ignoringAway(() =>
      world.asPerson(async (sleeper) => {
        await sleeper.query("listen chaos");
        await sleeper.query("begin");
        await sleeper.query("select 1");
        await world.asPerson(async (writer) => {
          const fill = "select pg_notify('chaos', repeat('x', 7900)) from generate_series(1, $1)";
          for (const count of [16, 1]) {
            let full = false;
            while (!full)
              full = await writer.query(fill, [count]).then(
                () => false,
                (error: { code?: string }) => {
                  if (error.code !== "54000") throw error;
                  return true;
                },
              );
          }
        });
        world.tally.fault("full queue of notifications");
        await sleep(500 + random.below(2_500));
        const from = await mark(world);
        const since = world.clock();
        await sleeper.query("rollback");
        await measure(world, from, { what: queueFreed, since, wanted: { event: "claim" } });
      }),
    );
  },
};

/** The CPU time so far of each of these processes that lives: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function cpuMsOf(pids: readonly number[]): Map<number, number> {
  return new Map(
    pids.flatMap((pid): [number, number][] => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [[pid, 10 * (Number(fields[11]) + Number(fields[12]))]];
      } catch {
        return [];
      }
    }),
  );
}
