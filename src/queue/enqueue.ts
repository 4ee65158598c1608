import type { Sql } from "../db/pool.js";

// As a value, so that it is read once and not for each block: it may be large.
const coverage = "select coalesce((select blocks + '{}' from processing_coverage), '{}')";

// A job that is being processed runs already: `force` leaves it alone.
const insertJobs = (blocks: string) => `
  insert into processing_jobs as job (block_number, priority)
  select n, $1 from ${blocks} as asked (n)
  where $2 or not (${coverage}) @> n
  order by n
  on conflict (block_number) do update
    set status = 'pending', priority = greatest(job.priority, excluded.priority), run_at = now(),
        attempts = 0, deaths = 0, last_error = null, completed_at = null
    where $2 and job.status <> 'processing'
  returning 1`;

// One statement may not touch a row twice, and people name a block twice.
const list = insertJobs("(select distinct unnest($3::bigint[]))");
const series = insertJobs("generate_series($3::bigint, $4::bigint)");

export interface EnqueueOptions {
  priority?: number;
  /** Run blocks again that are stored, failed or cancelled. */
  force?: boolean;
}

/** Enqueues blocks. Those that have a job, or are covered, are ignored unless `force`. Returns how many were enqueued. */
export async function enqueueBlocks(
  sql: Sql,
  blocks: number[],
  options: EnqueueOptions = {},
): Promise<number> {
  const { rows } = await sql.query(list, [options.priority ?? 0, options.force ?? false, blocks]);
  return rows.length;
}

/** Enqueues the blocks from `from` to `to`, inclusive, as a job each. For long ranges use `openRange`. */
export async function enqueueSeries(
  sql: Sql,
  { from, to, ...options }: { from: number; to: number } & EnqueueOptions,
): Promise<number> {
  const { rows } = await sql.query(series, [options.priority ?? 0, options.force ?? false, from, to]);
  return rows.length;
}
