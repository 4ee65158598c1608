import type { BlockSpan } from "../block.js";
import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

// Coverage, and the completed jobs of these blocks that are not archived yet, at two seconds a million.
const storedBetween = (from: string, to: string): string => `
  (select blocks from processing_coverage) + coalesce((
    select range_agg(int8range(block_number, block_number + 1)) from processing_jobs
    where status = ${statuses.completed} and block_number >= ${from} and block_number <= ${to}
  ), '{}')`;

const gaps = `
  select lower(gap) as "from", upper(gap) - 1 as "to"
  from unnest(int8multirange(int8range($1, $2, '[]')) - (${storedBetween("$1", "$2")})) as gap
  order by 1 limit $3`;

/**
 * The blocks from `from` to `to` that are not stored, as ranges, in order; at most `limit`. It reads
 * coverage and the completed jobs that are not archived yet, never the chain's tables: so it answers at
 * once however many blocks are stored.
 */
export async function findGaps(
  sql: Sql,
  { from, to, limit }: BlockSpan & { limit: number },
): Promise<BlockSpan[]> {
  const { rows } = await sql.query<BlockSpan>(gaps, [from, to, limit]);
  return rows.map(asNumbers);
}

const completed = `
  with asked as (
    select range_agg(int8range(first, last, '[]')) as blocks
    from unnest($1::bigint[], $2::bigint[]) as span (first, last)
  )
  select lower(piece) as "from", upper(piece) - 1 as "to"
  from asked, unnest(asked.blocks * (${storedBetween("lower(asked.blocks)", "upper(asked.blocks)")})) as piece
  order by 1`;

/** The blocks of these spans that are stored as far as the queue knows, as ranges, in order. */
export async function findCompleted(sql: Sql, spans: readonly BlockSpan[]): Promise<BlockSpan[]> {
  const { rows } = await sql.query<BlockSpan>(completed, [
    spans.map(({ from }) => from),
    spans.map(({ to }) => to),
  ]);
  return rows.map(asNumbers);
}

/** The lowest and the highest block that is stored as far as the queue knows; null: none is. */
export async function storedSpan(sql: Sql): Promise<BlockSpan | null> {
  const { rows } = await sql.query<{ from: number | null; to: number | null }>(
    `select least(lower(blocks), first) as "from", greatest(upper(blocks) - 1, last) as "to"
     from processing_coverage, (
       select min(block_number) as first, max(block_number) as last from processing_jobs where status = ${statuses.completed}
     ) as completed`,
  );
  const row = rows[0];
  return row === undefined || row.from === null || row.to === null
    ? null
    : asNumbers({ from: row.from, to: row.to });
}

/** How many blocks of a range that are not stored have a job, by its status. */
export async function countJobsInGaps(sql: Sql, { from, to }: BlockSpan): Promise<Record<string, number>> {
  const { rows } = await sql.query<{ status: string; jobs: number }>(
    `select status, count(*) as jobs from processing_jobs
     where status <> ${statuses.completed} and block_number between $1 and $2
       and not exists (select from processing_coverage where blocks @> block_number)
     group by status`,
    [from, to],
  );
  return Object.fromEntries(rows.map(({ status, jobs }) => [status, Number(jobs)]));
}

// Other pools than ours give a bigint as text.
function asNumbers({ from, to }: BlockSpan): BlockSpan {
  return { from: Number(from), to: Number(to) };
}
