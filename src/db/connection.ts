import pg from "pg";

export interface ConnectionOptions {
  url: string;
  schema: string;
  /** What pg_stat_activity shows, at most 63 bytes; PostgreSQL cuts the rest. */
  applicationName: string;
  connectTimeoutMs: number;
  statementTimeoutMs: number;
}

/**
 * How every connection of blockmill is opened. The schema is the only one on the search_path, temporary
 * tables last, so that nobody's table of the same name is taken for ours. A transaction that stalls (a
 * frozen process, a cut network) is ended by the server and lets its locks go.
 */
export function connectionConfig(options: ConnectionOptions): pg.ClientConfig {
  return {
    connectionString: options.url,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 1_000,
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: 15_000,
    options: `-c search_path=${options.schema},pg_temp -c timezone=UTC -c client_connection_check_interval=1s`,
    types: { getTypeParser },
  };
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
