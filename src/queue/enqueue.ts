import type { BlockSpan } from "../block.js";
import { numberArray } from "../db/number-array.js";
import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

// As a value, so that it is read once and not for each block: it may be large.
const coverage = "select coalesce((select blocks + '{}' from processing_coverage), '{}')";

// A job that is being processed runs already: it is left alone.
const again = `update
  set status = ${statuses.pending}, priority = greatest(job.priority, excluded.priority), run_at = now(), suspended = false,
      attempts = 0, deaths = 0, losses = 0, absences = 0, last_error = null, completed_at = null
  where job.status <> ${statuses.processing}`;

// The blocks come in order, so that two calls that touch the same jobs wait for each other and do not deadlock.
const insertJobs = (blocks: string, force: boolean) => `
  insert into processing_jobs as job (block_number, priority)
  select n, $1 from ${blocks} as asked (n)
  ${force ? "" : `where not (${coverage}) @> n`}
  on conflict (block_number) do ${force ? again : "nothing"}`;

const list = "unnest($2::bigint[])";
const series = "generate_series($2::bigint, $3::bigint)";
const statements = {
  list: { name: "enqueue_list", text: insertJobs(list, false) },
  listAgain: { name: "enqueue_list_again", text: insertJobs(list, true) },
  series: { name: "enqueue_series", text: insertJobs(series, false) },
  seriesAgain: { name: "enqueue_series_again", text: insertJobs(series, true) },
};

export interface EnqueueOptions {
  priority?: number;
  /** Run blocks again that are stored, failed or cancelled. */
  force?: boolean;
}

/** Enqueues blocks. Those that have a job, or are covered, are ignored unless `force`. Returns how many were enqueued. */
export async function enqueueBlocks(
  sql: Sql,
  blocks: readonly number[],
  { priority = 0, force = false }: EnqueueOptions = {},
): Promise<number> {
  // One statement may not touch a row twice, and people name a block twice.
  const inOrder = [...new Set(blocks)].sort((a, b) => a - b);
  const statement = force ? statements.listAgain : statements.list;
  return count(await sql.query({ ...statement, values: [priority, numberArray(inOrder)] }));
}

/** Enqueues the blocks from `from` to `to`, inclusive, as a job each. For long ranges use `openRange`. */
export async function enqueueSeries(
  sql: Sql,
  { from, to, priority = 0, force = false }: BlockSpan & EnqueueOptions,
): Promise<number> {
  const statement = force ? statements.seriesAgain : statements.series;
  return count(await sql.query({ ...statement, values: [priority, from, to] }));
}

/** How many jobs are new, or were set to pending. */
const count = ({ rowCount }: { rowCount: number | null }): number => rowCount ?? 0;
