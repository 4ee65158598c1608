import type { BlockSpan } from "../block.js";
import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

/** The jobs that wait for a worker. */
export interface Backlog {
  /** Counted up to the limit. */
  pending: number;
  /** How long the longest of them has been due, in milliseconds. */
  oldestMs: number;
}

// The claim index in its own order: what is counted is what would be claimed next.
const statement = `
  select count(*)::int as pending,
    coalesce(extract(epoch from clock_timestamp() - min(since) filter (where isfinite(since))), 0)::float8 * 1000 as oldest
  from (
    select greatest(created_at, run_at) as since from processing_jobs
    where queued and status = ${statuses.pending} and ($2::bigint is null or block_number between $2 and $3)
    order by priority desc, block_number limit $1
  ) as next`;

/** Looks at the `limit` jobs that would be claimed next, of the blocks `only` (inclusive) if given. */
export async function readBacklog(
  sql: Sql,
  { limit, only }: { limit: number; only: BlockSpan | undefined },
): Promise<Backlog> {
  const { rows } = await sql.query<{ pending: number; oldest: number }>({
    name: "backlog",
    text: statement,
    values: [limit, only?.from ?? null, only?.to ?? null],
  });
  return { pending: rows[0]?.pending ?? 0, oldestMs: rows[0]?.oldest ?? 0 };
}
