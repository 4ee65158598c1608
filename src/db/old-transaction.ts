import type { Sql } from "./pool.js";

/** A transaction that keeps vacuum from removing what died since it began. */
export interface OldTransaction {
  /** Of the session; null: it was prepared, and has none. */
  pid: number | null;
  /** The gid of a prepared one. */
  gid: string | null;
  user: string;
  application: string;
  /** As pg_stat_activity says it: `idle in transaction`, `active`, ... */
  state: string;
  ageMs: number;
}

// Sessions of other users show their start to members of pg_read_all_stats alone.
const statement = `
  select pid, null as gid, coalesce(usename, '?') as "user", coalesce(application_name, '') as application,
    coalesce(state, '?') as state, extract(epoch from clock_timestamp() - xact_start)::float8 * 1000 as "ageMs"
  from pg_stat_activity
  where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
    and (backend_xmin is not null or backend_xid is not null)
    and xact_start < clock_timestamp() - $1 * interval '1 millisecond'
  union all
  select null, gid, owner, '', 'prepared', extract(epoch from clock_timestamp() - prepared)::float8 * 1000
  from pg_prepared_xacts
  where database = current_database() and prepared < clock_timestamp() - $1 * interval '1 millisecond'
  order by "ageMs" desc limit 1`;

/** The oldest transaction in this database that is open for longer than that; null: none is. */
export async function findOldTransaction(sql: Sql, olderThanMs: number): Promise<OldTransaction | null> {
  const { rows } = await sql.query<OldTransaction>(statement, [olderThanMs]);
  return rows[0] ?? null;
}

/** In one line, with what ends it. */
export function describeOldTransaction({
  pid,
  gid,
  user,
  application,
  state,
  ageMs,
}: OldTransaction): string {
  const seconds = Math.round(ageMs / 1_000);
  const because = "meanwhile vacuum cannot clean the queue, and tables grow";
  if (pid === null) {
    return `the prepared transaction '${gid}' of ${user} is open for ${seconds} s: ${because}. End it: COMMIT PREPARED or ROLLBACK PREPARED '${gid}'`;
  }
  const name = application === "" ? "" : `, ${application}`;
  return `a transaction of ${user} (pid ${pid}${name}, ${state}) is open for ${seconds} s: ${because}. End it: SELECT pg_terminate_backend(${pid})`;
}
