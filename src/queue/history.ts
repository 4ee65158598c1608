import type pg from "pg";
import { inTransaction, type Sql } from "../db/pool.js";
import { BlockmillError } from "../errors.js";

const isOwner = `
  select pg_has_role(relowner, 'usage') as owner from pg_class where oid = 'processing_history'::regclass`;

// A backup holds a lock on every table as long as it runs. Until it is over, archiving goes on into the days
// that are there, or into processing_history_other: nobody may wait for a partition.
const lockTimeoutMs = 200;

/** lock_not_available; check_violation: processing_history_other has rows of that day already. */
const notNow = ["55P03", "23514"];

/** Runs a statement that changes partitions, unless it cannot be done at this moment. Returns whether it was. */
async function changePartition(pool: pg.Pool, statement: string): Promise<boolean> {
  try {
    await inTransaction(pool, async (tx) => {
      await tx.query(`set local lock_timeout = ${lockTimeoutMs}`);
      await tx.query(statement);
    });
    return true;
  } catch (error) {
    if (error instanceof BlockmillError && notNow.includes(String(error.facts.sqlstate))) return false;
    throw error;
  }
}

/**
 * Makes the partitions of processing_history for today and the next two days, by the database's clock,
 * UTC, as far as that can be done without waiting. Only the table's owner may; for another role everything
 * goes to processing_history_other.
 */
export async function prepareHistory(pool: pg.Pool): Promise<void> {
  if (!(await ownsHistory(pool))) return;
  const { rows } = await pool.query<{ day: string; next: string; there: boolean }>(
    `select to_char(day, 'YYYYMMDD') as day, to_char(day + 1, 'YYYYMMDD') as next,
       to_regclass('processing_history_' || to_char(day, 'YYYYMMDD')) is not null as there
     from generate_series(0, 2) as ahead,
       lateral (select (clock_timestamp() at time zone 'UTC')::date + ahead as day) as days`,
  );
  const missing = rows.filter(({ there }) => !there);
  if (missing.length === 0) return;
  const readers = await readReaders(pool);
  for (const { day, next } of missing) {
    // Rows are read through the whole table, whose grants decide. A backup names each partition.
    const grant = readers === null ? "" : `; grant select on processing_history_${day} to ${readers}`;
    await changePartition(
      pool,
      `create table if not exists processing_history_${day} partition of processing_history
       for values from ('${day} 00:00+00') to ('${next} 00:00+00')${grant}`,
    );
  }
}

/** Who may read the whole table, as a statement names them; null: its owner alone. */
async function readReaders(sql: Sql): Promise<string | null> {
  const { rows } = await sql.query<{ readers: string | null }>(
    `select string_agg(distinct case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end, ', ') as readers
     from pg_class, aclexplode(relacl)
     where pg_class.oid = 'processing_history'::regclass and privilege_type = 'SELECT' and grantee <> relowner`,
  );
  return rows[0]?.readers ?? null;
}

/** Drops the days of processing_history that are older than `days`, and deletes such rows without a day. Returns the partitions' names. */
export async function dropHistory(pool: pg.Pool, days: number): Promise<string[]> {
  const dropped = (await ownsHistory(pool)) ? await dropDays(pool, days) : [];
  await pool.query(
    "delete from processing_history_other where completed_at < clock_timestamp() - $1 * interval '1 day'",
    [days],
  );
  return dropped;
}

async function dropDays(pool: pg.Pool, days: number): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select partition.relname as name
     from pg_inherits join pg_class as partition on partition.oid = inhrelid
     where inhparent = 'processing_history'::regclass and partition.relname ~ '_[0-9]{8}$'
       and partition.relname < 'processing_history_' || to_char((clock_timestamp() at time zone 'UTC')::date - $1::int, 'YYYYMMDD')`,
    [days],
  );
  const dropped: string[] = [];
  for (const { name } of rows) if (await changePartition(pool, `drop table "${name}"`)) dropped.push(name);
  return dropped;
}

async function ownsHistory(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ owner: boolean }>(isOwner);
  return rows[0]?.owner ?? false;
}
