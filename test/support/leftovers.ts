// What a run of the suite must not leave behind: databases, sessions, processes.

import { readdirSync, readFileSync } from "node:fs";
import pg from "pg";
import { alive, waitFor } from "./process.js";

/** Set for all that a run starts, and inherited by what that starts: finds orphans too. */
export const testRunVariable = "BLOCKMILL_TEST_RUN";

/**
 * Databases whose name begins with `prefix` (but for `template`), in words. They are dropped, so
 * that the complaint is all that stays.
 */
export async function leftoverDatabases(scope: {
  adminUrl: string;
  prefix: string;
  template: string;
}): Promise<string[]> {
  return withClient(scope.adminUrl, async (client) => {
    const { rows } = await client.query<{ datname: string }>(
      "select datname from pg_database where starts_with(datname, $1) and datname <> $2",
      [scope.prefix, scope.template],
    );
    for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
    return rows.map(({ datname }) => `database ${datname}`);
  });
}

/** Sessions of clients other than the one that asks, in words. Those that are ending get half a minute. */
export async function leftoverSessions(adminUrl: string): Promise<string[]> {
  return withClient(adminUrl, (client) =>
    settled(async () => {
      const { rows } = await client.query<{ session: string }>(
        `select format('session of %s in %s: %s %s', application_name, datname, state, left(query, 80)) as session
         from pg_stat_activity
         where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      );
      return rows.map(({ session }) => session);
    }),
  );
}

/**
 * Processes that were started by the run, in words: those whose environment says so. Those that are
 * ending get half a minute; the others get SIGKILL. Empty where there is no /proc.
 */
export async function leftoverProcesses(runId: string): Promise<string[]> {
  const left = await settled(async () => processesOf(runId));
  for (const { pid } of left) process.kill(pid, "SIGKILL");
  return left.map(({ pid, command }) => `process ${pid}: ${command}`);
}

/** The things that are still there when the time is up, or none. */
async function settled<T>(find: () => Promise<T[]>, timeoutMs = 30_000): Promise<T[]> {
  let left: T[] = [];
  const gone = async () => {
    left = await find();
    return left.length === 0;
  };
  await waitFor(gone, { what: "leftovers to be gone", timeoutMs, everyMs: 20 }).catch((error) => {
    if (left.length === 0) throw error;
  });
  return left;
}

function processesOf(runId: string): { pid: number; command: string }[] {
  const mark = `${testRunVariable}=${runId}`;
  const found: { pid: number; command: string }[] = [];
  for (const entry of listProc()) {
    const pid = Number(entry);
    // Read one after the other: a process may end in between, and another user's cannot be read.
    if (!readProc(pid, "environ").split("\0").includes(mark) || !alive(pid)) continue;
    found.push({ pid, command: readProc(pid, "cmdline").replaceAll("\0", " ").trim().slice(0, 200) });
  }
  return found;
}

function listProc(): string[] {
  try {
    return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  } catch {
    return [];
  }
}

function readProc(pid: number, file: "environ" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: "blockmill-test-runner" });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
