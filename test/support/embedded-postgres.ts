// A PostgreSQL server of one's own: a fresh cluster in a temporary folder, gone with this process
// however it ends (see watchdog.ts).

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { appendFile, chown, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.js";
import {
  type PostgresBinaries,
  preparePostgresBinaries,
  type ServerUser,
  serverUser,
} from "./postgres-binaries.js";
import { alive, descendants, waitFor } from "./process.js";
import { startWatchdog, temporaryPath, type Watchdog } from "./watchdog.js";

export interface EmbeddedPostgres {
  /** Of the superuser, for the database postgres, over TCP. */
  readonly url: string;
  readonly port: number;
  /** The postmaster; undefined while stopped. */
  readonly pid: number | undefined;
  readonly dataDirectory: string;
  /** Where the Unix socket lies. */
  readonly socketDirectory: string;
  readonly logFile: string;
  /** Starts the stopped server again: the same port, the same data. Resolves when it takes connections. */
  start(): Promise<void>;
  /** fast (the default): sessions are ended, data is saved. immediate: as a crash, recovery at the next start. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** SIGKILL to the postmaster and all its processes at once, as if the host's power went. */
  kill(): Promise<void>;
  /** Stops the server and deletes everything of it. */
  destroy(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** For postgresql.conf, over the ones below. Written as is, quoted. */
  settings?: Record<string, string>;
  /** Where the cluster is made instead of a temporary folder. Must be empty or missing; is deleted at the end. */
  dataDirectory?: string;
  /** A free one unless stated. */
  port?: number;
}

/** Durable against a crash of the server, not of the host: tests kill servers, not the kernel. */
const testSettings: Record<string, string> = {
  fsync: "off",
  full_page_writes: "off",
  max_connections: "300",
  listen_addresses: "127.0.0.1",
  log_min_messages: "warning",
};

/** Makes a cluster and starts it. Resolves when it takes connections. */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions = {},
): Promise<EmbeddedPostgres> {
  const home = temporaryPath("postgres");
  const dataDirectory = options.dataDirectory ?? path.join(home, "data");
  const watchdog = startWatchdog({ signal: "QUIT", remove: [home, dataDirectory] });
  try {
    const user = await serverUser();
    for (const directory of [home, dataDirectory]) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      if (user !== undefined) await chown(directory, user.uid, user.gid);
    }
    const cluster: Cluster = {
      binaries: await preparePostgresBinaries(user, path.join(home, "native")),
      user,
      home,
      dataDirectory,
      logFile: path.join(home, "postgres.log"),
    };
    const password = randomBytes(12).toString("hex");
    await initialise(cluster, password);
    await configure(cluster, { ...testSettings, ...options.settings });
    return await startOnFreePort(cluster, { watchdog, password, port: options.port });
  } catch (error) {
    await watchdog.close();
    throw error;
  }
}

interface Cluster {
  binaries: PostgresBinaries;
  user: ServerUser;
  /** Holds all that is temporary; belongs to the server's user. */
  home: string;
  dataDirectory: string;
  logFile: string;
}

async function initialise({ binaries, user, home, dataDirectory }: Cluster, password: string): Promise<void> {
  const passwordFile = path.join(home, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) await chown(passwordFile, user.uid, user.gid);
  const args = ["--username=postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256", "--no-sync"];
  const layout = ["--encoding=UTF8", "--locale=C", "--no-instructions", `--pgdata=${dataDirectory}`];
  await promisify(execFile)(binaries.initdb, [...args, ...layout], {
    ...user,
    cwd: home,
    env: serverEnvironment(),
  });
  await rm(passwordFile);
}

/** Into postgresql.conf and not to the command line, so that tests can use alter system over it. */
async function configure({ home, dataDirectory }: Cluster, settings: Record<string, string>): Promise<void> {
  const lines = Object.entries({ ...settings, unix_socket_directories: home }).map(
    ([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`,
  );
  await appendFile(path.join(dataDirectory, "postgresql.conf"), lines.join(""));
}

interface Access {
  watchdog: Watchdog;
  password: string;
  port: number | undefined;
}

async function startOnFreePort(
  cluster: Cluster,
  { watchdog, password, port }: Access,
): Promise<EmbeddedPostgres> {
  for (let attempt = 1; ; attempt += 1) {
    const server = serverOn(cluster, { watchdog, password, port: port ?? (await freePort()) });
    try {
      await server.start();
      return server;
    } catch (error) {
      // Somebody took the port between the look and the server's bind.
      const taken = readFileSync(cluster.logFile, "utf8").includes("could not bind");
      if (!taken || port !== undefined || attempt === 5) throw error;
      await rm(cluster.logFile);
    }
  }
}

function serverOn(
  cluster: Cluster,
  { watchdog, password, port }: Access & { port: number },
): EmbeddedPostgres {
  let postmaster: Postmaster | undefined;

  async function end(signal: (running: Postmaster) => void): Promise<void> {
    if (postmaster === undefined) return;
    const { child, exited } = postmaster;
    child.ref();
    signal(postmaster);
    await exited;
  }

  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    get pid() {
      return postmaster?.pid;
    },
    dataDirectory: cluster.dataDirectory,
    socketDirectory: cluster.home,
    logFile: cluster.logFile,
    async start() {
      if (postmaster !== undefined) throw new Error("the server runs already");
      const started = await startPostmaster(cluster, port);
      postmaster = started;
      watchdog.guard(started.pid);
      void started.exited.then(() => {
        postmaster = undefined;
        watchdog.guard(undefined);
      });
      await waitUntilReady(cluster, started);
    },
    stop: (mode = "fast") => end(({ child }) => child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT")),
    async kill() {
      let processes: number[] = [];
      await end(({ child, pid }) => {
        // Stopped first, so that it can neither start nor bury a process while they are counted.
        child.kill("SIGSTOP");
        processes = descendants(pid);
        child.kill("SIGKILL");
        for (const one of processes) killIfThere(one);
      });
      // Until the last one is gone, the cluster's shared memory is in use and no server can start.
      await waitFor(() => !processes.some(alive), { what: "the server's processes to be gone" });
    },
    async destroy() {
      await end(({ child }) => child.kill("SIGQUIT"));
      await watchdog.close();
    },
  };
}

interface Postmaster {
  child: ChildProcess;
  pid: number;
  exited: Promise<unknown>;
}

async function startPostmaster(cluster: Cluster, port: number): Promise<Postmaster> {
  const log = openSync(cluster.logFile, "a");
  const child = spawn(cluster.binaries.postgres, ["-D", cluster.dataDirectory, "-p", String(port)], {
    ...cluster.user,
    cwd: cluster.home,
    env: serverEnvironment(),
    // A session of its own: Ctrl-C in the terminal must not stop it before those who use it.
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  await once(child, "spawn");
  child.unref();
  return { child, pid: child.pid ?? 0, exited };
}

/** postmaster.pid names the server's process in line 1 and its state in line 8, which is what pg_ctl waits for. */
async function waitUntilReady(
  { dataDirectory, logFile }: Cluster,
  { child, pid }: Postmaster,
): Promise<void> {
  const ready = () => {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`PostgreSQL ended while it started:\n${readFileSync(logFile, "utf8")}`);
    }
    const lines = readIfThere(path.join(dataDirectory, "postmaster.pid")).split("\n");
    return Number(lines[0]) === pid && lines[7]?.trim() === "ready";
  };
  await waitFor(ready, { what: `PostgreSQL to take connections (see ${logFile})` });
}

/** Ours, without what would steer the server (PGDATA, PGPORT, ...). */
function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("PG"));
  return { ...Object.fromEntries(kept), LC_ALL: "C" };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
