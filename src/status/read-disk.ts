import type { Sql } from "../db/pool.js";

export interface TableSize {
  name: string;
  /** Indexes and TOAST included; of a partitioned table, all its partitions. */
  bytes: number;
  /** As of the last ANALYZE or VACUUM. */
  rows: number;
  /** How much it grew a day; null: it was not measured for long enough. */
  bytesPerDay: number | null;
}

/** What `blockmill disk --json` prints of the database. */
export interface Disk {
  tables: TableSize[];
  bytes: number;
  bytesPerDay: number | null;
  /** Blocks that are stored, and how many more a day. */
  blocks: number;
  blocksPerDay: number | null;
  /** Over how many days growth was measured; null: it was not. */
  measuredDays: number | null;
  /** Where the server keeps the tables; null: this role may not know, or they lie elsewhere. */
  dataDirectory: string | null;
  /** The server's address; null: it is reached by a Unix socket. */
  serverAddress: string | null;
}

const sizes = `
  select coalesce(parent.relname, part.relname)::text as name,
    sum(pg_total_relation_size(part.oid))::bigint as bytes, sum(greatest(part.reltuples, 0))::bigint as rows
  from pg_class as part
  left join pg_inherits on inhrelid = part.oid
  left join pg_class as parent on parent.oid = inhparent
  where part.relkind = 'r' and part.relnamespace = to_regnamespace(quote_ident(current_schema()))
  group by 1 order by 2 desc, 1`;

/** Completed jobs that are not archived yet are counted up to so many. */
const mostCompleted = 500_000;

const stored = `
  (select coalesce(sum(upper(piece) - lower(piece)), 0)::bigint from processing_coverage, unnest(blocks) as piece)
  + (select count(*) from (select from processing_jobs where completed_at is not null limit ${mostCompleted}) as one)`;

/** Growth is that since the oldest sample of so many days, which must be an hour old. */
const growthDays = 3;
const keptDays = 40;

interface Sample {
  days: number;
  blocks: number;
  bytes: Record<string, number>;
}

/** Measures the tables: cheap, except that it waits for whoever has locked one of them. */
export async function readDisk(sql: Sql): Promise<Disk> {
  const tables = await sql.query<{ name: string; bytes: number; rows: number }>(sizes);
  const place = await sql.query<{ blocks: number; directory: string | null; address: string | null }>(
    `select ${stored} as blocks, host(inet_server_addr()) as address,
       case when dattablespace = (select oid from pg_tablespace where spcname = 'pg_default')
         then (select setting from pg_settings where name = 'data_directory') end as directory
     from pg_database where datname = current_database()`,
  );
  const samples = await sql.query<Sample>(
    `select extract(epoch from clock_timestamp() - sampled_at)::float8 / 86400 as days, blocks, bytes
     from processing_disk
     where sampled_at > clock_timestamp() - interval '${growthDays} days'
       and sampled_at < clock_timestamp() - interval '1 hour'
     order by sampled_at limit 1`,
  );
  const [before] = samples.rows;
  const { blocks = 0, directory = null, address = null } = place.rows[0] ?? {};
  const perDay = (now: number, then: number | undefined): number | null =>
    before === undefined || then === undefined ? null : (now - then) / before.days;
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const bytes = sum(tables.rows.map((table) => Number(table.bytes)));
  return {
    tables: tables.rows.map(({ name, bytes: size, rows }) => ({
      name,
      bytes: Number(size),
      rows: Number(rows),
      bytesPerDay: perDay(Number(size), before?.bytes[name] ?? 0),
    })),
    bytes,
    bytesPerDay: perDay(bytes, before === undefined ? undefined : sum(Object.values(before.bytes))),
    blocks: Number(blocks),
    blocksPerDay: perDay(Number(blocks), before === undefined ? undefined : Number(before.blocks)),
    measuredDays: before?.days ?? null,
    dataDirectory: directory,
    serverAddress: address,
  };
}

/** Keeps what the tables take at the moment, unless that was done within the last 50 minutes. */
export async function sampleDisk(sql: Sql): Promise<void> {
  const { rowCount } = await sql.query(
    `insert into processing_disk (sampled_at, blocks, bytes)
     select clock_timestamp(), ${stored}, (select coalesce(jsonb_object_agg(name, bytes), '{}') from (${sizes}) as one)
     where not exists (select from processing_disk where sampled_at > clock_timestamp() - interval '50 minutes')`,
  );
  if (rowCount === 0) return;
  await sql.query(
    `delete from processing_disk where sampled_at < clock_timestamp() - interval '${keptDays} days'`,
  );
}
