import type { ConnectionOptions } from "../../src/db/connection.js";

/** How a program of the benchmarks connects to a database with blockmill's schema in `public`. */
export function poolOptions(databaseUrl: string): ConnectionOptions {
  return {
    url: databaseUrl,
    schema: "public",
    applicationName: "bench",
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 300_000,
  };
}
