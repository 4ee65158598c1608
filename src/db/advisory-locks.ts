import type { Sql } from "./pool.js";

// Advisory locks have no rights in PostgreSQL: anybody may hold any key. So a lock is a family of keys. Who finds one
// held by a stranger passes on to the next, and who is asked whether a lock is held believes only sessions of its own
// role, or of roles that may update jobs as workers do: people who only insert and read may not. While there are no jobs,
// roles are believed that may make their table: two that init the same empty schema wait for each other.

/** How the keys of one lock end, in the order in which they are tried. */
const endings = ["", ...Array.from({ length: 31 }, (_, i) => ` ${i + 1}`)];
const endingsSql = `unnest(array[${endings.map((ending) => `'${ending}'`).join()}])`;

const isBelieved = `(holder.usename = session_user or coalesce(
      has_table_privilege(holder.usesysid, to_regclass('processing_jobs'), 'UPDATE'),
      has_schema_privilege(holder.usesysid, current_schema(), 'CREATE'),
      has_database_privilege(holder.usesysid, current_database(), 'CREATE')))`;

/**
 * The keys of advisory locks that believed sessions hold in this database, as rows (key, pid).
 * https://www.postgresql.org/docs/current/view-pg-locks.html: a key's high half is classid, its low half objid.
 */
export const believedLocks = `
  select (lock.classid::bigint << 32) | lock.objid::bigint as key, lock.pid
  from pg_locks as lock join pg_stat_activity as holder on holder.pid = lock.pid
  where lock.locktype = 'advisory' and lock.objsubid = 1 and lock.granted
    and lock.database = (select oid from pg_database where datname = current_database())
    and ${isBelieved}`;

/**
 * Whether a session but this one holds the lock that the SQL expression `key` names, and is believed. `among`: what
 * selects `believedLocks`, for a statement that asks for many keys.
 */
export const isHeld = (key: string, among = `(${believedLocks})`): string => `exists (
    select from ${among} as held
    where held.pid <> pg_backend_pid()
      and held.key in (select hashtextextended(${key} || ending, 0) from ${endingsSql} as ending)
  )`;

/** Ways to hold a lock: until the session ends, with others or alone; until the transaction ends. */
export type LockKind = "session" | "shared" | "transaction";

const functions = {
  session: "pg_try_advisory_lock",
  shared: "pg_try_advisory_lock_shared",
  transaction: "pg_try_advisory_xact_lock",
} as const;

/**
 * Takes the lock unless a believed session has it. `strangers`: how many keys of it strangers hold; a lock of which they
 * hold all is taken all the same, without a key. Of two that take it at once by different keys both may succeed: a
 * session that keeps it asks `mustYield` now and then.
 */
export async function tryLock(
  sql: Sql,
  key: string,
  kind: LockKind,
): Promise<{ taken: boolean; ending: number; strangers: number }> {
  if (kind !== "shared" && (await isHeldByOthers(sql, key)))
    return { taken: false, ending: -1, strangers: 0 };
  for (const [ending, text] of endings.entries()) {
    const { rows } = await sql.query<{ taken: boolean; ours: boolean }>(
      `select ${functions[kind]}(hashtextextended($1, 0)) as taken, exists (
         select from (${believedLocks}) as held where held.pid <> pg_backend_pid() and held.key = hashtextextended($1, 0)
       ) as ours`,
      [key + text],
    );
    if (rows[0]?.taken) return { taken: true, ending, strangers: ending };
    if (rows[0]?.ours) return { taken: false, ending: -1, strangers: ending };
  }
  return { taken: true, ending: endings.length, strangers: endings.length };
}

/** Whether a believed session has an earlier key of a lock that this session has by its key `ending`. */
export async function mustYield(sql: Sql, key: string, ending: number): Promise<boolean> {
  if (ending === 0) return false;
  const { rows } = await sql.query<{ yields: boolean }>(
    `select exists (
       select from (${believedLocks}) as held where held.pid <> pg_backend_pid()
         and held.key in (select hashtextextended($1 || ending, 0) from unnest($2::text[]) as ending)
     ) as yields`,
    [key, endings.slice(0, ending)],
  );
  return rows[0]?.yields ?? false;
}

/** Whether a believed session but this one holds the lock, by whichever of its keys. */
export async function isHeldByOthers(sql: Sql, key: string): Promise<boolean> {
  const { rows } = await sql.query<{ held: boolean }>(`select ${isHeld("$1::text")} as held`, [key]);
  return rows[0]?.held ?? false;
}

export interface LockHolder {
  pid: number;
  user: string;
  application: string;
  believed: boolean;
}

/** The sessions but this one that hold one of these locks, each a key of two numbers: a space of keys, and one in it. */
export async function edgeHolders(
  sql: Sql,
  { space, keys }: { space: string; keys: readonly number[] },
): Promise<LockHolder[]> {
  const { rows } = await sql.query<LockHolder>(
    `select distinct lock.pid, holder.usename as "user", holder.application_name as application, ${isBelieved} as believed
     from pg_locks as lock join pg_stat_activity as holder on holder.pid = lock.pid
     where lock.locktype = 'advisory' and lock.objsubid = 2 and lock.granted and lock.pid <> pg_backend_pid()
       and lock.database = (select oid from pg_database where datname = current_database())
       and lock.classid::bigint = hashtext($1 || current_schema())::bigint & 4294967295
       and lock.objid::bigint = any ($2::bigint[])`,
    [space, keys],
  );
  return rows;
}
