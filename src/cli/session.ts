import type pg from "pg";
import { sessionOptions } from "../child/connections.js";
import { environment } from "../config/environment.js";
import { exposedFiles } from "../config/exposed-files.js";
import { type Flag, type LoadedConfig, loadConfig, requireKeys } from "../config/load.js";
import { type LogStyle, logStyle } from "../config/log-style.js";
import type { Config } from "../config/schema.js";
import { secretsOf } from "../config/secrets.js";
import type { WorkersSetting } from "../config/workers.js";
import { type ConnectionOptions, settingsOf } from "../db/connection.js";
import { createPool } from "../db/pool.js";
import { isSameSetting } from "../db/prove-session.js";
import { checkSchema } from "../db/schema.js";
import { BlockmillError, ConfigError, describeError, UsageError } from "../errors.js";
import { createLogger, type Logger } from "../logger.js";
import { createRedact, type Redact } from "../redact.js";
import { refusedSettingsError, sessionFaultError } from "./session-faults.js";

/** The options that every command takes, and --workers. */
export interface GlobalOptions {
  config?: string;
  set?: string[];
  log?: string;
  logLevel?: string;
  workers?: WorkersSetting;
}

/** What a command works with. */
export interface Session {
  loaded: LoadedConfig;
  config: Config;
  redact: Redact;
  log: Logger;
  /** How its log lines are written. */
  logStyle: LogStyle;
}

/** Loads the configuration of a command. `output` is where its log lines go. */
export function openSession(options: GlobalOptions, output: NodeJS.WritableStream): Session {
  const loaded = loadConfig({
    file: options.config ?? (environment.BLOCKMILL_CONFIG || undefined),
    env: environment,
    flags: flagsOf(options),
  });
  const { config } = loaded;
  const redact = createRedact(secretsOf(config));
  const style = logStyle(config.log, output === process.stdout ? 1 : 2);
  const log = createLogger({ component: "cli", level: config.log.level as "info", redact, output, ...style });
  for (const file of exposedFiles(loaded.secretFiles))
    log.warn({ file }, `every user of this host may read the secrets in ${file}: chmod o= ${file}`);
  return { loaded, config, redact, log, logStyle: style };
}

function flagsOf({ set = [], log, logLevel, workers }: GlobalOptions): Flag[] {
  const flags: Flag[] = set.map((assignment) => {
    const at = assignment.indexOf("=");
    // What stands there may be a secret that lost its key: it is not repeated.
    if (at < 1) throw new UsageError("--set: expected key=value, such as pipeline.workers=8");
    return { path: assignment.slice(0, at).trim(), flag: "--set", text: assignment.slice(at + 1) };
  });
  if (log !== undefined) flags.push({ path: "log.format", flag: "--log", value: log });
  if (logLevel !== undefined) flags.push({ path: "log.level", flag: "--log-level", value: logLevel });
  if (workers !== undefined) flags.push({ path: "pipeline.workers", flag: "--workers", value: workers });
  return flags;
}

/** Runs `work` with a single connection or so many, after the schema was checked. Closes them in any case. */
export async function withDatabase<T>(
  session: Session,
  work: (pool: pg.Pool) => Promise<T>,
  { needsSchema = true, connections = 1 }: { needsSchema?: boolean; connections?: number } = {},
): Promise<T> {
  requireKeys(session.config, ["database.url"]);
  const options = sessionOptions(session.config, `cli ${process.pid}`);
  const pool = createPool({ ...options, min: 0, max: connections });
  try {
    await connect(session, pool, options);
    if (needsSchema) await checkSchema(pool, session.config.database.schema);
    return await work(pool);
  } catch (error) {
    throw asPermissionError(error);
  } finally {
    await pool.end();
  }
}

/**
 * What pg itself finds wrong as it connects, and asDatabaseError has no words for, is in database.url too. So is a pooler
 * that cannot be worked through: without our search_path, statements would meet other tables.
 */
async function connect({ config }: Session, pool: pg.Pool, options: ConnectionOptions): Promise<void> {
  const wanted = settingsOf(options).search_path;
  let actual = "";
  try {
    const { rows } = await pool.query<{ path: string }>("select current_setting('search_path') as path");
    actual = rows[0]?.path ?? "";
  } catch (error) {
    const refused = refusedSettingsError(config, error);
    if (refused !== undefined) throw refused;
    if (error instanceof BlockmillError) throw error;
    throw new ConfigError(`database.url: the server refuses the connection: ${describeError(error)}`, {
      key: "database.url",
    });
  }
  if (isSameSetting(wanted, actual)) return;
  const settings = [{ name: "search_path", wanted, actual }];
  throw sessionFaultError(config, { kind: "drops", settings });
}

/** SQLSTATE 42501, insufficient_privilege. */
function asPermissionError(error: unknown): unknown {
  if (error instanceof BlockmillError || (error as { code?: unknown } | null)?.code !== "42501") return error;
  return new ConfigError(
    `database.url: ${describeError(error)}; grant it to this user, or choose a database.schema that it owns`,
    { key: "database.url" },
  );
}
