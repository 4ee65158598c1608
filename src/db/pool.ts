import pg from "pg";
import type { Counts } from "../metrics/counts.js";
import { type ConnectionOptions, openingOf, poolConfig } from "./connection.js";
import { asDatabaseError } from "./database-error.js";
import { PoolClient } from "./pool-client.js";
import { watchStatements } from "./watch-statements.js";

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
  /**
   * Whether its statements are prepared for long: planned once, perhaps while a table is empty, and still used when
   * it holds a million rows. So no plan may read a whole table that has an index for it, nor all that an index has of
   * it, to sort that: neither costs anything while there are few rows. So rows are also locked in the order of an index,
   * behind a pooler too. False unless stated.
   */
  keepsPlans?: boolean;
  /** Whether one more may be opened for a moment, for watchStatements. True unless stated. */
  looks?: boolean;
  /** Where the statements' times are counted. */
  counts?: Counts;
}

// Where there is no index for it, a whole table is read all the same, at a price that would call for JIT before PostgreSQL 18.
const keepingPlans = { enable_seqscan: "off", enable_bitmapscan: "off", jit: "off" };

/**
 * A pool whose errors carry a disposition, whose idle connections may die without anybody noticing, and
 * which notices within seconds when one dies in silence under a statement, unless `looks` forbids it.
 *
 * With `poolUrl`, every statement of `query` is a transaction of its own: it begins with our settings, since
 * a pooler keeps none.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const keeping = options.keepsPlans ? keepingPlans : {};
  const opening = options.poolUrl === undefined ? undefined : openingOf(options, keeping);
  const config = poolConfig(options);
  const { counts } = options;
  const onAnswered =
    counts === undefined
      ? undefined
      : (statement: string, seconds: number): void =>
          counts.observe("blockmill_statement_seconds", [statement], seconds);
  const pool = new pg.Pool({
    ...config,
    ...(opening === undefined
      ? {
          options: [
            config.options,
            ...Object.entries(keeping).map(([name, value]) => `-c ${name}=${value}`),
          ].join(" "),
        }
      : {}),
    Client: class extends PoolClient {
      constructor(config?: pg.ClientConfig) {
        super(config, opening, onAnswered);
      }
    },
    min: options.min,
    max: options.max,
    idleTimeoutMillis: 10_000,
    allowExitOnIdle: false,
  });
  // An idle client that loses its connection is dropped by the pool; the next query opens another one.
  pool.on("error", () => {});
  // One that loses it between two statements of a transaction tells the next statement.
  pool.on("connect", (client) => client.on("error", () => {}));
  if (options.looks ?? true) watchStatements(pool, options);
  const query = pool.query.bind(pool) as (...args: unknown[]) => Promise<unknown>;
  const queryInTransaction = (text: string | pg.QueryConfig, values?: unknown[]): Promise<unknown> =>
    inTransaction(pool, (tx) => tx.query(text, values));
  const run = (opening === undefined ? query : queryInTransaction) as typeof query;
  pool.query = ((...args: unknown[]) =>
    run(...args).catch((error: unknown) => {
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
    await (client instanceof PoolClient ? client.begin() : client.query("begin"));
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
