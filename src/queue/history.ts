import type { Sql } from "../db/pool.js";

const isOwner = `
  select pg_has_role(relowner, 'usage') as owner from pg_class where oid = 'processing_history'::regclass`;

/**
 * Makes the partitions of processing_history for today and the next two days, by the database's clock,
 * UTC. Only the table's owner may; for another role everything goes to processing_history_other.
 */
export async function prepareHistory(sql: Sql): Promise<void> {
  if (!(await ownsHistory(sql))) return;
  const { rows } = await sql.query<{ day: string; next: string; there: boolean }>(
    `select to_char(day, 'YYYYMMDD') as day, to_char(day + 1, 'YYYYMMDD') as next,
       to_regclass('processing_history_' || to_char(day, 'YYYYMMDD')) is not null as there
     from generate_series(0, 2) as ahead,
       lateral (select (clock_timestamp() at time zone 'UTC')::date + ahead as day) as days`,
  );
  for (const { day, next } of rows.filter(({ there }) => !there)) {
    await sql.query(
      `create table if not exists processing_history_${day} partition of processing_history
       for values from ('${day} 00:00+00') to ('${next} 00:00+00')`,
    );
  }
}

/** Drops the days of processing_history that are older than `days`, and deletes such rows without a day. Returns the partitions' names. */
export async function dropHistory(sql: Sql, days: number): Promise<string[]> {
  const dropped = (await ownsHistory(sql)) ? await dropDays(sql, days) : [];
  await sql.query(
    "delete from processing_history_other where completed_at < clock_timestamp() - $1 * interval '1 day'",
    [days],
  );
  return dropped;
}

async function dropDays(sql: Sql, days: number): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>(
    `select partition.relname as name
     from pg_inherits join pg_class as partition on partition.oid = inhrelid
     where inhparent = 'processing_history'::regclass and partition.relname ~ '_[0-9]{8}$'
       and partition.relname < 'processing_history_' || to_char((clock_timestamp() at time zone 'UTC')::date - $1::int, 'YYYYMMDD')`,
    [days],
  );
  for (const { name } of rows) await sql.query(`drop table "${name}"`);
  return rows.map(({ name }) => name);
}

async function ownsHistory(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ owner: boolean }>(isOwner);
  return rows[0]?.owner ?? false;
}
