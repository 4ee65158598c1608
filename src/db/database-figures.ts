import type { Sql } from "./pool.js";

/** What PostgreSQL says of itself, as far as it concerns us. */
export interface DatabaseFigures {
  /** Our sessions in this database by state; `hidden`: this role may not see it. */
  connections: { state: string; count: number }[];
  oldestTransactionSeconds: number;
  /** From 0 to 1. */
  notificationQueueUsage: number;
  /** Dead rows of processing_jobs, as PostgreSQL estimates them. */
  queueDeadTuples: number;
}

const statement = `
  select
    (select coalesce(json_agg(json_build_object('state', state, 'count', sessions)), '[]') from (
       select coalesce(state, 'hidden') as state, count(*) as sessions from pg_stat_activity
       where datname = current_database() and starts_with(application_name, 'blockmill ') group by 1
     ) as by_state) as connections,
    (select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float8 from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()) as "oldestTransactionSeconds",
    pg_notification_queue_usage() as "notificationQueueUsage",
    coalesce(pg_stat_get_dead_tuples('processing_jobs'::regclass), 0) as "queueDeadTuples"`;

/** One statement, which takes no lock beyond a look at the catalogue. */
export async function readDatabaseFigures(sql: Sql): Promise<DatabaseFigures> {
  const { rows } = await sql.query<DatabaseFigures>({
    name: "database_figures",
    text: statement,
    values: [],
  });
  const row = rows[0];
  if (row === undefined) throw new Error("a select without from returned no row");
  return row;
}

/** Bytes of each table of our schema, with its indexes, its TOAST and its partitions. It looks at every file. */
export async function readTableBytes(sql: Sql): Promise<{ table: string; bytes: number }[]> {
  const { rows } = await sql.query<{ table: string; bytes: number }>(
    `select root.relname as table, sum(pg_total_relation_size(coalesce(part.relid, root.oid)))::bigint as bytes
     from pg_class as root
     left join lateral pg_partition_tree(root.oid) as part on true
     where root.relnamespace = current_schema()::regnamespace and root.relkind in ('r', 'p') and not root.relispartition
     group by root.relname order by root.relname`,
  );
  return rows;
}
