// PostgreSQL's own client programs, found on the PATH.

import { spawn } from "node:child_process";
import { databaseTarget, type Tls } from "../config/database-target.js";
import { BlockmillError, ConfigError } from "../errors.js";
import type { Sql } from "./pool.js";

export type ToolName = "pg_dump" | "pg_restore";

/** A client program ended with an error. Its message is what the program said last. */
export class ToolError extends BlockmillError {
  readonly disposition = "wait";
}

/**
 * Throws a ConfigError unless the program is there and of the server's major version or a newer one: an
 * older pg_dump refuses (https://www.postgresql.org/docs/current/app-pgdump.html, "Notes").
 */
export async function checkTool(name: ToolName, sql: Sql, env: NodeJS.ProcessEnv): Promise<void> {
  const said = await runTool(name, ["--version"], { env });
  const own = Number(/(\d+)/.exec(said)?.[1]);
  const { rows } = await sql.query<{ major: number }>(
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  const server = rows[0]?.major ?? 0;
  if (own < server) {
    throw new ConfigError(
      `${name} is of PostgreSQL ${own}, the server of ${server}: install the client programs of ${server} (Debian: postgresql-client-${server}), or put them first on the PATH`,
    );
  }
}

/**
 * The environment in which libpq's programs connect as blockmill does. The password is in it, so that it
 * never stands in an argument, where everybody on the host could read it.
 * https://www.postgresql.org/docs/current/libpq-envars.html
 */
export function libpqEnvironment(
  url: string,
  { env, applicationName }: { env: NodeJS.ProcessEnv; applicationName: string },
): NodeJS.ProcessEnv {
  const { host, port, user, database, password, tls } = databaseTarget(url, env);
  // What steers libpq from elsewhere would lead it to another place than ours.
  const steering = ["PGHOSTADDR", "PGSERVICE", "PGOPTIONS", "PGTARGETSESSIONATTRS", "PGSSLROOTCERT"];
  const kept = Object.entries(env).filter(([name]) => !steering.includes(name));
  const given: Record<string, string | undefined> = {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGDATABASE: database,
    PGPASSWORD: password,
    PGAPPNAME: applicationName,
    ...tlsVariables(tls),
  };
  const set = Object.entries(given).flatMap(([name, value]) => (value ? [[name, value]] : []));
  return Object.fromEntries([...kept, ...set]);
}

/** libpq verifies as blockmill does: a server that one of them does not trust, the other does not send a password to. */
function tlsVariables(tls: Tls): Record<string, string | undefined> {
  if (tls.kind === "off") return tls.isAsked ? { PGSSLMODE: "disable" } : {};
  return {
    PGSSLMODE: tls.kind === "verified" ? "verify-full" : "require",
    // Without a file libpq would look for ~/.postgresql/root.crt, and Node.js does not.
    PGSSLROOTCERT: tls.kind === "verified" ? (tls.rootCert ?? "system") : undefined,
    PGSSLCERT: tls.cert,
    PGSSLKEY: tls.key,
    PGSSLNEGOTIATION: tls.direct ? "direct" : undefined,
  };
}

/** What is kept of a program's complaints. */
const errorLength = 4_000;

/**
 * Runs a program to its end, and returns what it wrote to standard output. Throws a ConfigError if it is
 * not there, and a ToolError if it fails or `signal` ended it.
 */
export async function runTool(
  name: ToolName,
  args: string[],
  { env, signal }: { env: NodeJS.ProcessEnv; signal?: AbortSignal },
): Promise<string> {
  // Not spawn's own `signal`, which does not wait until the program is gone.
  const child = spawn(name, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const said: Buffer[] = [];
  let complaints = "";
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-errorLength);
  });
  const kill = (): boolean => child.kill("SIGTERM");
  signal?.addEventListener("abort", kill);
  if (signal?.aborted) kill();
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (signal?.aborted) throw new ToolError(`${name} was interrupted`, { interrupted: true });
    if (code !== 0) throw new ToolError(complaints.trim() || `${name} ended with exit code ${code}`);
    return Buffer.concat(said).toString("utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new ConfigError(
      `${name} is not on the PATH: install PostgreSQL's client programs (Debian: postgresql-client)`,
    );
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}
