import pg from "pg";
import { type ConnectionOptions, connectionConfig } from "./connection.js";
import { asDatabaseError } from "./database-error.js";

/** Whatever runs a statement: a pool, or a client inside a transaction. */
export interface Sql {
  query<R extends pg.QueryResultRow>(
    query: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>>;
}

/** Inside a transaction. */
export type Tx = pg.PoolClient;

export interface PoolOptions extends ConnectionOptions {
  /** Connections that are kept open. */
  min: number;
  /** Connections that may be open at once. */
  max: number;
}

/** A pool whose errors carry a disposition, and whose idle connections may die without anybody noticing. */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    ...connectionConfig(options),
    min: options.min,
    max: options.max,
    idleTimeoutMillis: 10_000,
    allowExitOnIdle: false,
  });
  // An idle client that loses its connection is dropped by the pool; the next query opens another one.
  pool.on("error", () => {});
  // One that loses it between two statements of a transaction tells the next statement.
  pool.on("connect", (client) => client.on("error", () => {}));
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>;
  pool.query = ((...args: unknown[]) =>
    query(...args).catch((error: unknown) => {
      throw asDatabaseError(error);
    })) as typeof pool.query;
  return pool;
}

/**
 * Runs `work` inside a transaction on a connection of its own. Commits when it resolves, rolls back when
 * it throws. A connection that fails is thrown away, never given back to the pool.
 */
export async function inTransaction<T>(pool: pg.Pool, work: (tx: Tx) => Promise<T>): Promise<T> {
  let client: Tx | undefined;
  try {
    client = await pool.connect();
    await client.query("begin");
    const result = await work(client);
    await client.query("commit");
    client.release();
    return result;
  } catch (error) {
    await abandon(client);
    throw asDatabaseError(error);
  }
}

async function abandon(client: Tx | undefined): Promise<void> {
  if (client === undefined) return;
  try {
    await client.query("rollback");
    client.release();
  } catch (error) {
    client.release(error as Error);
  }
}
