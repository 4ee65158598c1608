// The real program, `blockmill start`, with a configuration of the test's own; its processes by their
// roles; and a look at what it leaves behind.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { workerBounds } from "../../src/config/workers.js";
import { alive, descendants, type Exit, type Program, spawnProgram, waitFor } from "./process.js";

export interface DaemonOptions {
  databaseUrl: string;
  rpcUrls: string[];
  /** Over the defaults below, section by section. */
  config?: Record<string, Record<string, unknown>>;
  /** Of another build than the one that was built together with this test. */
  script?: string;
  /** Added to this process's environment. */
  env?: Record<string, string | undefined>;
}

/**
 * Quick and small; the head is not followed, so that only the test's own jobs run. A busy machine may keep a ping
 * waiting for seconds, so the lease is long: a test of leases, or of a host that freezes, states a short one.
 */
const defaults: Record<string, Record<string, unknown>> = {
  pipeline: {
    workers: 2,
    check_interval: 0.5,
    auto_enqueue: false,
    backoff_seconds: 0.05,
    backoff_max_seconds: 0.1,
  },
  database: { lease_seconds: 10, connect_timeout: 10 },
  rpc: { timeout_ms: 20_000 },
};

/** A forked process of a daemon. */
export interface DaemonChild {
  pid: number;
  role: "worker" | "orchestrator" | "web";
  /** What processing_jobs.worker_id calls it. */
  workerId: string;
}

export interface Daemon {
  program: Program;
  /** The supervisor. */
  pid: number;
  /** What its children's ids begin with. */
  supervisorId: string;
  children(): DaemonChild[];
  workers(): DaemonChild[];
  /** The one of this id; fails when it is gone. */
  child(workerId: string): DaemonChild;
  orchestrator(): DaemonChild;
  /** Every process that it has now, the supervisor first. */
  pids(): number[];
  /** Asks it to drain, and resolves when it has ended by itself. */
  stop(): Promise<Exit>;
  /** Kills whatever is left of it, stopped processes too, and removes its configuration. */
  destroy(): Promise<void>;
}

/** Starts a daemon, and resolves when all its processes are there. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { program, workers, remove } = await spawnStart(options);
  const others = options.config?.web?.listen ? 2 : 1;
  const { pid } = program;
  const seen = new Set<number>([pid]);

  const children = (): DaemonChild[] => {
    const found = descendants(pid).flatMap(childOf);
    for (const each of found) seen.add(each.pid);
    return found;
  };
  const one = (what: string, matches: (child: DaemonChild) => boolean): DaemonChild => {
    const found = children().find(matches);
    if (found === undefined) throw new Error(`the daemon has no ${what}`);
    return found;
  };
  const destroy = async (): Promise<void> => {
    children();
    for (const each of seen) kill(each);
    await program.exit;
    await waitFor(() => ![...seen].some(alive), { what: "the daemon's processes to be gone" });
    await remove();
  };
  try {
    await program.line(/holding the lease of this host/);
    await waitFor(() => children().length === workers + others, { what: "the daemon's processes" });
  } catch (error) {
    await destroy();
    throw error;
  }
  const orchestrator = (): DaemonChild => one("orchestrator", ({ role }) => role === "orchestrator");
  return {
    program,
    pid,
    supervisorId: orchestrator().workerId.replace(/\/.*$/, ""),
    children,
    workers: () => children().filter(({ role }) => role === "worker"),
    child: (id) => one(id, ({ workerId }) => workerId === id),
    orchestrator,
    pids: () => [pid, ...descendants(pid)],
    stop: () => program.kill("SIGTERM"),
    destroy,
  };
}

/** Runs `blockmill start`, and waits for nothing. `remove` deletes its configuration. */
export async function spawnStart(
  options: DaemonOptions,
): Promise<{ program: Program; workers: number; remove(): Promise<void> }> {
  const places = { database: { url: options.databaseUrl }, rpc: { urls: options.rpcUrls } };
  const config = merge(merge(defaults, places), options.config ?? {});
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-daemon-"));
  const file = path.join(folder, "config.json");
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  const program = await spawnProgram(["start", "--config", file], {
    script: options.script ?? builtProgram,
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  return {
    program,
    workers: workerBounds(config.pipeline?.workers)?.min ?? Number.NaN,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The program that was built together with this test. */
const builtProgram = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

function childOf(pid: number): DaemonChild[] {
  const [, file = "", workerId] = commandLine(pid);
  const role = /\/(worker|orchestrator|web)\/main\.js$/.exec(file)?.[1];
  if (role === undefined || workerId === undefined) return [];
  return [{ pid, role: role as DaemonChild["role"], workerId }];
}

/** The arguments that a process was started with; none when it is gone. */
export function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

function merge(
  base: Record<string, Record<string, unknown>>,
  over: Record<string, Record<string, unknown>>,
): Record<string, Record<string, unknown>> {
  const sections = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries(
    [...sections].map((section) => [section, { ...base[section], ...over[section] }]),
  );
}

/**
 * Stops a daemon as systemd would, and asserts that it ends in order: exit code 0, none of its processes
 * alive, none of its connections left.
 */
export async function assertCleanStop(daemon: Daemon, pool: pg.Pool): Promise<void> {
  const pids = daemon.pids();
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
  assert.deepEqual(pids.filter(alive), [], "processes that outlived the daemon");
  await waitFor(async () => (await connectionsOf(pool)).length === 0, {
    what: "its connections to be gone",
  });
  const { rows } = await pool.query("select worker_id from processing_workers");
  assert.deepEqual(rows, [], "workers that are still registered");
}

/** The application names of blockmill's connections to the pool's database. */
export async function connectionsOf(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ application_name: string }>(
    `select application_name from pg_stat_activity
     where datname = current_database() and application_name like 'blockmill %' order by 1`,
  );
  return rows.map(({ application_name }) => application_name);
}
