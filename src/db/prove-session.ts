import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { DatabaseUnavailableError } from "../errors.js";
import { type ConnectionOptions, connectionConfig, settingsOf } from "./connection.js";
import { asDatabaseError } from "./database-error.js";
import { inTransaction, type Sql } from "./pool.js";
import { PoolClient } from "./pool-client.js";

/** What makes an address useless for sessions. */
export type SessionFault =
  /** What stands between forgets LISTEN or session locks: a pooler in transaction mode. */
  | { kind: "forgets" }
  /** What stands between drops the settings that a session asks for as it begins. */
  | { kind: "drops"; settings: WrongSetting[] }
  /** The sender's statements go to another database. */
  | { kind: "elsewhere" };

/** A setting that is not ours. */
export interface WrongSetting {
  name: string;
  wanted: string;
  actual: string;
}

/** A notification takes a millisecond; a server that is busy may take longer. */
const heardWithinMs = 3_000;

/**
 * Proves that connections to `options.url` are sessions: one listens, and hears while it is idle what `sender`
 * notifies; it takes a session lock, which `sender` cannot have then, and which it still holds in another
 * statement; and its settings are ours. Returns what is wrong; null: nothing.
 *
 * Throws a DatabaseUnavailableError when nothing was proven either way.
 */
export async function findSessionFault(
  options: ConnectionOptions,
  sender: Sql,
): Promise<SessionFault | null> {
  const name = `blockmill_proof_${randomBytes(8).toString("hex")}`;
  const session = new PoolClient({ ...connectionConfig(options), query_timeout: options.connectTimeoutMs });
  // Whoever awaits a statement is told.
  session.on("error", () => {});
  const heard = new Promise<boolean>((resolve) => session.once("notification", () => resolve(true)));
  const over = new AbortController();
  try {
    await session.connect();
    await session.query("select pg_try_advisory_lock(hashtextextended($1, 0))", [name]);
    await session.query(`listen ${name}`);
    const { rows } = await sender.query<{ free: boolean }>(
      "select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as free, pg_notify($1, '')",
      [name],
    );
    const isFree = rows[0]?.free ?? false;
    const isHeard = await Promise.race([heard, sleep(heardWithinMs, false, { signal: over.signal })]);
    const { pid, held } = await lookBack(session, name);
    const isDirect = pid === session.processID;
    if (isHeard && held && !isFree) {
      const settings = await findWrongSettings(session, options);
      return settings.length === 0 ? null : { kind: "drops", settings };
    }
    if (!isDirect) return { kind: "forgets" };
    if (isFree) return { kind: "elsewhere" };
    throw new DatabaseUnavailableError(`PostgreSQL passed no notification on within ${heardWithinMs} ms`);
  } catch (error) {
    throw asDatabaseError(error);
  } finally {
    over.abort();
    await session.end().catch(() => {});
  }
}

/** Gives the lock back, which tells whether it was still held. */
async function lookBack(session: pg.Client, name: string): Promise<{ pid: number; held: boolean }> {
  const { rows } = await session.query<{ pid: number; held: boolean }>(
    "select pg_backend_pid() as pid, pg_advisory_unlock(hashtextextended($1, 0)) as held",
    [name],
  );
  return rows[0] ?? { pid: 0, held: false };
}

/** Which settings are not ours in a transaction of a pool, in its second statement. */
export function findWrongPoolSettings(pool: pg.Pool, options: ConnectionOptions): Promise<WrongSetting[]> {
  return inTransaction(pool, (tx) => findWrongSettings(tx, options));
}

async function findWrongSettings(sql: Sql, options: ConnectionOptions): Promise<WrongSetting[]> {
  const wanted = Object.entries(settingsOf(options));
  const { rows } = await sql.query<{ name: string; setting: string }>(
    "select name, setting from pg_settings where name = any ($1::text[])",
    [wanted.map(([name]) => name)],
  );
  const actual = new Map(rows.map(({ name, setting }) => [name, setting]));
  return wanted
    .map(([name, value]) => ({ name, wanted: value, actual: actual.get(name) ?? "" }))
    .filter((each) => !isSameSetting(each.wanted, each.actual));
}

/** ALTER ROLE writes a space behind each comma of a list. */
export function isSameSetting(wanted: string, actual: string): boolean {
  return wanted === actual.replace(/,\s+/g, ",");
}
