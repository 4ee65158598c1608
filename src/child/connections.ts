import type { Config } from "../config/schema.js";
import type { ConnectionOptions } from "../db/connection.js";

/** How the process `id` connects: what the configuration says, under its own name. */
export function connectionOptions(config: Config, id: string): ConnectionOptions {
  return {
    url: config.database.url,
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
