import type { Config } from "../config/schema.js";
import type { ConnectionOptions } from "../db/connection.js";

/**
 * How the process `id` of a daemon connects: what the configuration says, under its own name. Its pools go
 * to database.url, and what needs a session to database.listen_url, if that is set.
 */
export function connectionOptions(config: Config, id: string): ConnectionOptions {
  const options = sessionOptions(config, id);
  return config.database.listen_url ? { ...options, poolUrl: config.database.url } : options;
}

/** The same for a command: it goes to PostgreSQL itself with everything, as long statements and dumps must. */
export function sessionOptions(config: Config, id: string): ConnectionOptions {
  return {
    url: sessionUrl(config),
    schema: config.database.schema,
    connectTimeoutMs: config.database.connect_timeout * 1_000,
    statementTimeoutMs: config.database.statement_timeout * 1_000,
    applicationName: `blockmill ${id}`,
  };
}

/** The channel that the supervisor's pings notify. Its children listen there to know that they still can. */
export function pulseChannel(supervisorId: string): string {
  return `blockmill_pulse_${supervisorId}`.slice(0, 63);
}

/** The supervisor whose child bears this id (SUPERVISOR/w1). */
export function supervisorOf(workerId: string): string {
  return workerId.replace(/\/.*$/, "");
}

/** The URL of everything that needs a session. */
export function sessionUrl({ database }: Config): string {
  return database.listen_url || database.url;
}
