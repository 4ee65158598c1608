// A standby that takes over: made by PostgreSQL's own low-level backup, synchronous, promoted when the primary
// dies, and put in its place. The connection string stays what it is.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFile, readlink, rename, rm, stat, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import pg from "pg";
import { freePort } from "../../support/free-port.js";
import { waitFor } from "../../support/process.js";
import { startWatchdog } from "../../support/watchdog.js";
import { mark, measure } from "../recovery.js";
import { needsOwnServer, type Scenario } from "../scenario.js";
import type { World } from "../world.js";
import { untilItAnswers } from "./postgres.js";

const run = promisify(execFile);

export const standbyPromotion: Scenario = {
  name: "standby-promotion",
  about: "the primary dies, its synchronous standby is promoted and takes its address",
  takes: ["server", "locks"],
  weight: 1,
  unable: needsOwnServer,
  async inject(world) {
    const { server } = world;
    if (server?.pid === undefined) return;
    const folder = `${server.dataDirectory}-standby-${randomBytes(3).toString("hex")}`;
    const watchdog = startWatchdog({ signal: "QUIT", remove: [folder] });
    const { uid, gid } = await stat(server.dataDirectory);
    const binary = await readlink(`/proc/${server.pid}/exe`);
    const port = await freePort();
    try {
      await backUp(world, server.dataDirectory, folder);
      const primary = new URL(world.adminUrl);
      const conninfo = `host=127.0.0.1 port=${server.port} user=${primary.username} password=${primary.password} application_name=standby`;
      await appendFile(`${folder}/postgresql.auto.conf`, `primary_conninfo = '${conninfo}'\n`);
      await writeFile(`${folder}/standby.signal`, "");
      await run("chown", ["-R", `${uid}:${gid}`, folder]);
      const standby = spawn(binary, ["-D", folder, "-p", String(port), "-c", "unix_socket_directories="], {
        uid,
        gid,
        cwd: folder,
        env: { LC_ALL: "C" },
        detached: true,
        stdio: "ignore",
      });
      watchdog.guard(standby.pid);
      const ended = once(standby, "exit");
      await world.ask("alter system set synchronous_standby_names = 'standby'");
      await world.ask("select pg_reload_conf()");
      const inStep = async (): Promise<boolean> =>
        (await world.ask("select from pg_stat_replication where sync_state = 'sync'")).length > 0;
      await waitFor(inStep, { what: "the standby to be in step", timeoutMs: 30_000, everyMs: 50 });

      const from = await mark(world);
      world.tally.fault("primary lost, standby promoted");
      await server.kill();
      await promote(world, port);
      standby.kill("SIGINT");
      await ended;
      watchdog.guard(undefined);
      await rm(server.dataDirectory, { recursive: true });
      await rename(folder, server.dataDirectory);
      await server.start();
      await untilItAnswers(world);
      await measure(world, from, {
        what: "standby in place, to the first claim",
        since: world.clock(),
        wanted: { event: "claim" },
      });
    } finally {
      await world.ask("alter system reset synchronous_standby_names").catch(() => {});
      await world.ask("select pg_reload_conf()");
      await watchdog.close();
    }
  },
};

/** https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP */
async function backUp(world: World, from: string, to: string): Promise<void> {
  await world.asPerson(async (person) => {
    await person.query("select pg_backup_start('chaos', true)");
    // A file that vanishes while it is copied is no error of a base backup.
    await run("cp", ["-a", from, to]).catch((error: unknown) => {
      if (!/No such file/.test(String(error))) throw error;
    });
    const { rows } = await person.query<{ labelfile: string }>("select labelfile from pg_backup_stop(false)");
    await writeFile(`${to}/backup_label`, rows[0]?.labelfile ?? "");
    await rm(`${to}/postmaster.pid`, { force: true });
  });
}

async function promote(world: World, port: number): Promise<void> {
  const url = new URL(world.adminUrl);
  url.port = String(port);
  const client = new pg.Client({ connectionString: url.href, application_name: "chaos" });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query("select pg_promote(true, 30)");
    await client.query("alter system reset synchronous_standby_names");
    await client.query("alter system reset primary_conninfo");
    await client.query("checkpoint");
  } finally {
    await client.end();
  }
}
