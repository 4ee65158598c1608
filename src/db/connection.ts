import { readFileSync } from "node:fs";
import pg from "pg";
import { databaseTarget, type Tls } from "../config/database-target.js";
import { ConfigError } from "../errors.js";

export interface ConnectionOptions {
  /** PostgreSQL's own address, or one that keeps a session as PostgreSQL does: everything may go there. */
  url: string;
  /**
   * Where pools connect instead: it may be a pooler that keeps nothing from one transaction to the next.
   * Everything that hangs on a session (listeners, leases) goes to `url` all the same.
   */
  poolUrl?: string;
  schema: string;
  /** What pg_stat_activity shows, at most 63 bytes; PostgreSQL cuts the rest. */
  applicationName: string;
  connectTimeoutMs: number;
  statementTimeoutMs: number;
}

/**
 * What holds for every statement of blockmill, by PostgreSQL's names and in their base units. The schema
 * is the only one on the search_path, temporary tables last, so that nobody's table of the same name is
 * taken for ours. A transaction that stalls (a frozen process, a cut network) is ended by the server and
 * lets its locks go.
 */
export function settingsOf({
  schema,
  statementTimeoutMs,
}: Pick<ConnectionOptions, "schema" | "statementTimeoutMs">) {
  return {
    search_path: `${/[A-Z]/.test(schema) ? `"${schema}"` : schema},pg_temp`,
    TimeZone: "UTC",
    // Whatever the role or the database has for others.
    default_transaction_isolation: "read committed",
    default_transaction_read_only: "off",
    default_transaction_deferrable: "off",
    statement_timeout: String(Math.round(statementTimeoutMs)),
    idle_in_transaction_session_timeout: "15000",
    client_connection_check_interval: "1000",
  };
}

/** Those that pg has no option of its own for. */
const startupSettings = [
  "search_path",
  "TimeZone",
  "default_transaction_isolation",
  "default_transaction_read_only",
  "default_transaction_deferrable",
  "client_connection_check_interval",
] as const;

/** How every session of blockmill is opened. */
export function connectionConfig(options: ConnectionOptions): pg.ClientConfig {
  const settings = settingsOf(options);
  const plain = plainConfig(options.url, options);
  const ours = startupSettings.map((name) => `-c ${name}=${settings[name].replaceAll(" ", "\\ ")}`);
  return {
    ...plain,
    statement_timeout: Number(settings.statement_timeout),
    idle_in_transaction_session_timeout: Number(settings.idle_in_transaction_session_timeout),
    // The last one of a setting counts: ours, and not the URL's.
    options: [...(plain.options === undefined ? [] : [plain.options]), ...ours].join(" "),
  };
}

/**
 * How the connections of a pool are opened: as sessions, or, to `poolUrl`, without any setting. A pooler
 * refuses those that it does not know, or takes them and forgets them; there `openingOf` begins each
 * transaction.
 */
export function poolConfig(options: ConnectionOptions): pg.ClientConfig {
  return options.poolUrl === undefined ? connectionConfig(options) : plainConfig(options.poolUrl, options);
}

/**
 * Begins a transaction on a connection without settings of its own, and makes ours for as long as it lasts:
 * and those of `more`, whatever another client of the pooler has left behind there, and without leaving anything to others. Answers
 * with a row that tells which transaction it is: `pid` and `began`, as pg_stat_activity knows them.
 */
export function openingOf(options: ConnectionOptions, more: Readonly<Record<string, string>> = {}): string {
  const settings = Object.entries({ ...settingsOf(options), ...more }).map(
    ([name, value]) =>
      `pg_catalog.set_config(${pg.escapeLiteral(name)}, ${pg.escapeLiteral(value)}, true) as "${name}"`,
  );
  return `begin isolation level read committed read write;
    select pg_catalog.pg_backend_pid() as pid, extract(epoch from pg_catalog.now())::text as began,
      ${settings.join(", ")}`;
}

function plainConfig(url: string, options: ConnectionOptions): pg.ClientConfig {
  const { tls, channelBinding, ...target } = databaseTarget(url);
  const isDirect = tls.kind !== "off" && tls.direct;
  return {
    ...target,
    ssl: sslOf(tls),
    ...(isDirect && { sslnegotiation: "direct" }),
    enableChannelBinding: channelBinding,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 1_000,
    types: { getTypeParser },
  };
}

function sslOf(tls: Tls): pg.ClientConfig["ssl"] {
  if (tls.kind === "off") return false;
  return {
    rejectUnauthorized: tls.kind === "verified",
    ...read("ca", "sslrootcert", tls.rootCert),
    ...read("cert", "sslcert", tls.cert),
    ...read("key", "sslkey", tls.key),
  };
}

function read(
  name: "ca" | "cert" | "key",
  parameter: string,
  file: string | undefined,
): Record<string, string> {
  if (file === undefined) return {};
  try {
    return { [name]: readFileSync(file, "utf8") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError(`database.url: ${parameter}: the file ${file} cannot be read (${code})`, {
      key: "database.url",
    });
  }
}

// bigint as a number: block numbers and ids stay far below 2^53, and one beyond it is refused.
function getTypeParser(oid: number, format?: "text" | "binary"): (text: string) => unknown {
  if (oid === pg.types.builtins.INT8 && format !== "binary") return parseInt8;
  return pg.types.getTypeParser(oid, format as "text");
}

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} is beyond 2^53`);
  return value;
}
