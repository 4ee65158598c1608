import type pg from "pg";
import { findTableHolder } from "../db/lock-waits.js";
import { BlockmillError, DatabaseUnavailableError, describeError } from "../errors.js";

/** How long a look at the database waits for a lock. */
const lockTimeoutMs = 3_000;

/**
 * Runs `work` on a pool of one connection, which waits for no lock longer than a few seconds. Where somebody has locked
 * a table of the schema, throws a DatabaseUnavailableError that names the session.
 */
export async function withLockTimeout<T>(pool: pg.Pool, work: (pool: pg.Pool) => Promise<T>): Promise<T> {
  await pool.query(`set lock_timeout = ${lockTimeoutMs}`);
  try {
    return await work(pool);
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    const holder = await findTableHolder(pool, lockTimeoutMs);
    throw new DatabaseUnavailableError(
      holder ?? `a table of the schema is locked: ${describeError(error)}`,
      {},
      { cause: error },
    );
  }
}

/** SQLSTATE 55P03, lock_not_available. */
function isLockTimeout(error: unknown): boolean {
  const code =
    error instanceof BlockmillError ? error.facts.sqlstate : (error as { code?: unknown } | null)?.code;
  return code === "55P03";
}
