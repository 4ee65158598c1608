// A real PgBouncer in front of a database of the suite's server, gone with the test however it ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { freePort } from "../support/free-port.js";
import { serverUser } from "../support/postgres-binaries.js";
import { waitFor } from "../support/process.js";
import { startWatchdog, temporaryPath } from "../support/watchdog.js";

const program = [...(process.env.PATH ?? "").split(":"), "/usr/sbin"]
  .map((folder) => path.join(folder, "pgbouncer"))
  .find((file) => existsSync(file));

/** For node:test's `skip`. */
export const skip = program === undefined ? "no pgbouncer on the PATH (Debian: pgbouncer)" : false;

export interface Pgbouncer {
  /** The database's URL, through it. */
  url: string;
  stop(): Promise<void>;
}

/** Starts it, and resolves when it lets clients through. `settings` are of pgbouncer.ini; the port is a free one unless they say so. */
export async function startPgbouncer(
  databaseUrl: string,
  settings: { pool_mode: "session" | "transaction" | "statement" } & Record<string, string>,
): Promise<Pgbouncer> {
  if (program === undefined) throw new Error(String(skip));
  const { hostname, port: serverPort, username, password } = new URL(databaseUrl);
  const home = temporaryPath("pgbouncer");
  const watchdog = startWatchdog({ signal: "QUIT", remove: [home] });
  // It refuses to run as root.
  const user = await serverUser();
  const own = async (file: string): Promise<void> => {
    if (user !== undefined) await chown(file, user.uid, user.gid);
  };
  await mkdir(home, { mode: 0o700 });
  await own(home);
  const port = Number(settings.listen_port ?? (await freePort()));
  const users = path.join(home, "users.txt");
  const file = path.join(home, "pgbouncer.ini");
  const all = {
    listen_addr: "127.0.0.1",
    listen_port: String(port),
    unix_socket_dir: "",
    auth_type: "scram-sha-256",
    auth_file: users,
    default_pool_size: "20",
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
  const ini = `[databases]\n* = host=${hostname} port=${serverPort}\n[pgbouncer]\n${lines.join("")}`;
  const quoted = (text: string) => `"${decodeURIComponent(text).replaceAll('"', '""')}"`;
  await writeFile(users, `${quoted(username)} ${quoted(password)}\n`, { mode: 0o600 });
  await writeFile(file, ini, { mode: 0o600 });
  await Promise.all([own(users), own(file)]);

  const child = spawn(program, ["--quiet", file], { ...user, cwd: home, stdio: "ignore", detached: true });
  await once(child, "spawn");
  watchdog.guard(child.pid);
  child.unref();
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const url = new URL(databaseUrl);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  const ready = async () => hasEnded() || (await letsThrough(url.href));
  await waitFor(ready, { what: "PgBouncer to let clients through" });
  if (!hasEnded()) return { url: url.href, stop: watchdog.close };
  await watchdog.close();
  if (settings.listen_port !== undefined) throw new Error(`PgBouncer ended: is port ${port} taken?`);
  // Somebody took the port first: another.
  return startPgbouncer(databaseUrl, settings);
}

async function letsThrough(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, application_name: "blockmill-test" });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query("select 1");
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
