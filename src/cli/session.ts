import type pg from "pg";
import { connectionOptions } from "../child/connections.js";
import { environment } from "../config/environment.js";
import { type LoadedConfig, loadConfig, requireKeys } from "../config/load.js";
import type { Config } from "../config/schema.js";
import { secretsOf } from "../config/secrets.js";
import { createPool } from "../db/pool.js";
import { checkSchema } from "../db/schema.js";
import { createLog, type Log } from "../log.js";
import { createRedact, type Redact } from "../redact.js";

/** The options that every command takes. */
export interface GlobalOptions {
  config?: string;
  databaseUrl?: string;
  schema?: string;
  rpcUrl?: string[];
  logLevel?: string;
  set?: string[];
  workers?: number;
}

/** What a command works with. */
export interface Session {
  loaded: LoadedConfig;
  config: Config;
  redact: Redact;
  log: Log;
}

/** Loads the configuration of a command. `output` is where its log lines go. */
export function openSession(options: GlobalOptions, output: NodeJS.WritableStream): Session {
  const loaded = loadConfig({
    file: options.config ?? environment.BLOCKMILL_CONFIG,
    env: environment,
    flags: flagsOf(options),
  });
  const { config } = loaded;
  const redact = createRedact(secretsOf(config));
  const log = createLog({ component: "cli", level: config.log.level as "info", redact, output });
  return { loaded, config, redact, log };
}

function flagsOf(options: GlobalOptions): { path: string; flag: string; value: unknown }[] {
  const flags = [
    { path: "database.url", flag: "--database-url", value: options.databaseUrl },
    { path: "database.schema", flag: "--schema", value: options.schema },
    { path: "rpc.urls", flag: "--rpc-url", value: options.rpcUrl },
    { path: "log.level", flag: "--log-level", value: options.logLevel },
    { path: "pipeline.workers", flag: "--workers", value: options.workers },
  ];
  return flags.filter(({ value }) => value !== undefined);
}

/** Runs `work` with a small pool, after the schema was checked. Closes the pool in any case. */
export async function withDatabase<T>(
  session: Session,
  work: (pool: pg.Pool) => Promise<T>,
  { needsSchema = true }: { needsSchema?: boolean } = {},
): Promise<T> {
  requireKeys(session.config, ["database.url"]);
  const options = connectionOptions(session.config, `cli ${process.pid}`);
  const pool = createPool({ ...options, min: 0, max: 2 });
  try {
    if (needsSchema) await checkSchema(pool, session.config.database.schema);
    return await work(pool);
  } finally {
    await pool.end();
  }
}
