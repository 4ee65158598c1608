import type { Sql } from "./pool.js";

/** A session that keeps one of ours waiting for a lock. */
export interface LockWait {
  /** What waits, or which block's job is passed over. */
  what: string;
  /** Of the session that holds the lock; null: a prepared transaction does. */
  pid: number | null;
  user: string;
  application: string;
  /** As pg_stat_activity says it; `?` where this role may not see it. */
  state: string;
  waitsMs: number;
}

const isOurs = (session: string): string =>
  `coalesce(${session}.usename = session_user and starts_with(${session}.application_name, 'blockmill '), false)`;

const holder = `
    nullif(blocking.pid, 0) as pid, coalesce(holder.usename, '?') as "user",
    coalesce(holder.application_name, '') as application, coalesce(holder.state, '?') as state`;

/** For a statement that reads more: the same as findLockWait, as a row. */
// pg_locks.waitstart and pg_blocking_pids need no right. A row that SKIP LOCKED passes over has nobody waiting for it:
// its xmax is the transaction that locked it, or, where several share it, a multixact id with these as members. Whether
// it is the one or the other no statement tells. So it is read as both, a multixact only where there can be one of that
// id, and believed only of a session that has locked rows of the table at all.
export const lockWaitSql = (longerThanMs: string): string => `
  with waiting as (
    select 'a lock on ' || coalesce(lock.relation::regclass::text, lock.locktype) || ' (' || session.application_name || ')' as what,
      ${holder}, extract(epoch from clock_timestamp() - lock.waitstart)::float8 * 1000 as "waitsMs"
    from pg_locks as lock
    join pg_stat_activity as session on session.pid = lock.pid
    cross join unnest(pg_blocking_pids(lock.pid)) as blocking (pid)
    left join pg_stat_activity as holder on holder.pid = blocking.pid
    where not lock.granted and ${isOurs("session")} and session.datname = current_database()
      and lock.waitstart < clock_timestamp() - ${longerThanMs} * interval '1 millisecond' and not ${isOurs("holder")}
  ),
  front as (
    select block_number, status, xmax, greatest(created_at, run_at) as since from processing_jobs
    where queued order by priority desc, block_number limit 1000
  ),
  next as (
    select block_number, xmax, since from front where status = 'pending' limit 100
  ),
  lockers as (
    select block_number, since, xmax as locker from next
    union all
    select block_number, since, member.xid from next, lateral pg_get_multixact_members(xmax) as member
    where mxid_age(xmax) between 1 and (select max(mxid_age(datminmxid)) from pg_database)
  ),
  passed as (
    select 'the job of block ' || block_number as what,
      ${holder}, extract(epoch from clock_timestamp() - since)::float8 * 1000 as "waitsMs"
    from lockers
    join pg_locks as blocking on blocking.locktype = 'transactionid' and blocking.granted and blocking.transactionid = locker
    left join pg_stat_activity as holder on holder.pid = blocking.pid
    where exists (
        select from pg_locks as touched
        where touched.locktype = 'relation' and touched.relation = 'processing_jobs'::regclass and touched.granted
          and touched.mode <> 'AccessShareLock' and touched.virtualtransaction = blocking.virtualtransaction
      )
      and isfinite(since) and since < clock_timestamp() - ${longerThanMs} * interval '1 millisecond' and not ${isOurs("holder")}
  )
  select * from waiting union all select * from passed order by "waitsMs" desc limit 1`;

const statement = lockWaitSql("$1");

/** The longest wait for a lock of somebody else's, if it is longer than that; null: there is none. */
export async function findLockWait(sql: Sql, longerThanMs: number): Promise<LockWait | null> {
  const { rows } = await sql.query<LockWait>(statement, [longerThanMs]);
  return rows[0] ?? null;
}

/** In one line, with what ends it. */
export function describeLockWait({ what, pid, user, application, state, waitsMs }: LockWait): string {
  const seconds = Math.round(waitsMs / 1_000);
  if (pid === null)
    return `${what} is held by a prepared transaction for ${seconds} s. Find it: SELECT * FROM pg_prepared_xacts`;
  const name = application === "" ? "" : `, ${application}`;
  return `${what} is held by ${user} (pid ${pid}${name}, ${state}), waited for since ${seconds} s. End it: SELECT pg_terminate_backend(${pid})`;
}

const tableHolder = `
  select lock.relation::regclass::text as "table", lock.pid, coalesce(holder.usename, '?') as "user",
    coalesce(holder.application_name, '') as application, coalesce(holder.state, '?') as state
  from pg_locks as lock
  join pg_class on pg_class.oid = lock.relation and relnamespace = to_regnamespace(quote_ident(current_schema()))
  left join pg_stat_activity as holder on holder.pid = lock.pid
  where lock.granted and lock.mode = 'AccessExclusiveLock' and relkind in ('r', 'p') and lock.pid is distinct from pg_backend_pid()
    and lock.database = (select oid from pg_database where datname = current_database())
  limit 1`;

/** Who has locked a table of the schema, for which somebody has waited so long, in one line; null: nobody. */
export async function findTableHolder(sql: Sql, waitsMs: number): Promise<string | null> {
  const { rows } = await sql.query<Omit<LockWait, "what" | "waitsMs"> & { table: string }>(tableHolder);
  const [row] = rows;
  return row === undefined ? null : describeLockWait({ ...row, what: `the table ${row.table}`, waitsMs });
}

const jobHolder = `
  select 'the job of block ' || block_number as what, ${holder}, 0::float8 as "waitsMs"
  from processing_jobs
  join pg_locks as blocking on blocking.locktype = 'transactionid' and blocking.granted and blocking.transactionid = processing_jobs.xmax
  left join pg_stat_activity as holder on holder.pid = blocking.pid
  where block_number = $1 and not ${isOurs("holder")}`;

/** Who has locked a block's job, so that claims pass over it, in one line; null: nobody but us. */
export async function describeJobHolder(sql: Sql, block: number): Promise<string | null> {
  const { rows } = await sql.query<LockWait>(jobHolder, [block]);
  const [found] = rows;
  return found === undefined ? null : describeLockWait(found);
}
