import type { BlockSpan } from "../block.js";
import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";
import { type BoundedCount, mostCompleted, mostCounted } from "./read-depth.js";

// Coverage, and the completed jobs of these blocks that are not archived yet: each of them is read, which takes seconds a
// million. completed_at is what their index covers: however many other jobs there are of these blocks, they are not read.
// What is added up are whole runs of blocks, since to join single ones costs as much again as to read them.
const storedBetween = (from: string, to: string): string => `
  (select blocks from processing_coverage) + coalesce((
    select range_agg(run) from (
      select int8range(min(block_number), max(block_number) + 1) as run
      from (
        select block_number, block_number - row_number() over (order by block_number) as start from processing_jobs
        where completed_at is not null and status = ${statuses.completed}
          and block_number >= ${from} and block_number <= ${to}
      ) as completed
      group by start
    ) as runs
  ), '{}')`;

const gaps = `
  select lower(gap) as "from", upper(gap) - 1 as "to",
    count(*) over () as total, (sum(upper(gap) - lower(gap)) over ())::bigint as blocks
  from unnest(int8multirange(int8range($1, $2, '[]')) - (${storedBetween("$1", "$2")})) as gap
  order by 1 limit $3`;

export interface Gaps {
  /** The first ones, in order. */
  gaps: BlockSpan[];
  /** How many there are, and how many blocks they have together. */
  total: number;
  blocks: number;
}

/**
 * The blocks from `from` to `to` that are not stored, as ranges, in order; at most `limit` of them, and how many there
 * are. It reads coverage and the completed jobs that are not archived yet, never the chain's tables: so it answers at
 * once however many blocks are stored, as long as they are archived.
 */
export async function findGaps(sql: Sql, { from, to, limit }: BlockSpan & { limit: number }): Promise<Gaps> {
  const { rows } = await sql.query<BlockSpan & { total: number; blocks: number }>(gaps, [from, to, limit]);
  const { total = 0, blocks = 0 } = rows[0] ?? {};
  return { gaps: rows.map(asNumbers), total: Number(total), blocks: Number(blocks) };
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

/**
 * The lowest and the highest block that is stored as far as the queue knows; null: none is. Of the completed jobs that
 * are not archived only the newest are read.
 */
export async function storedSpan(sql: Sql): Promise<BlockSpan | null> {
  const { rows } = await sql.query<{ from: number | null; to: number | null }>(
    `select least(lower(blocks), first) as "from", greatest(upper(blocks) - 1, last) as "to"
     from processing_coverage, (
       select min(block_number) as first, max(block_number) as last
       from (
         select block_number from processing_jobs where completed_at is not null and status = ${statuses.completed}
         order by completed_at desc limit $1
       ) as newest
     ) as completed`,
    [mostCompleted],
  );
  const row = rows[0];
  return row === undefined || row.from === null || row.to === null
    ? null
    : asNumbers({ from: row.from, to: row.to });
}

// A part of the coverage is computed once, and looked into for each job; as it is stored it would be unpacked each time.
const isCovered =
  "coalesce((select blocks * int8multirange(int8range($1, $2, '[]')) from processing_coverage) @> block_number, false)";

// Each list walks a partial index of its own, as in read-depth.ts. Few blocks are looked up by their numbers.
const jobsIn = {
  few: `
    select status, count(*) as jobs, count(*) > $3 as at_least
    from processing_jobs where block_number between $1 and $2 and not ${isCovered}
    group by status`,
  many: `
    with queued as (
      select status, block_number from processing_jobs where queued order by priority desc, block_number limit $3
    ),
    due as (
      select status, block_number from processing_jobs where due_at is not null order by due_at limit $3
    ),
    halted as (
      select status, block_number from processing_jobs
      where not queued and completed_at is null and due_at is null and block_number between $1 and $2
      order by block_number limit $3
    ),
    counted as (
      select *, (select count(*) from queued) >= $3 as at_least from queued
      union all select *, (select count(*) from due) >= $3 from due
      union all select *, (select count(*) from halted) >= $3 from halted
    )
    select status, count(*) filter (where block_number between $1 and $2 and not ${isCovered}) as jobs,
      bool_or(at_least) as at_least
    from counted group by status`,
};

/** How many blocks of a range that are not stored have a job, by its status, counted up to a bound. */
export async function countJobsInGaps(
  sql: Sql,
  { from, to }: BlockSpan,
): Promise<Record<string, BoundedCount>> {
  const statement = to - from < mostCounted ? jobsIn.few : jobsIn.many;
  const { rows } = await sql.query<{ status: string; jobs: number; at_least: boolean }>(statement, [
    from,
    to,
    mostCounted,
  ]);
  const found = rows.filter(({ status, jobs, at_least }) => status !== "completed" && (jobs > 0 || at_least));
  return Object.fromEntries(
    found.map(({ status, jobs, at_least }) => [status, { count: Number(jobs), atLeast: at_least }]),
  );
}

// Other pools than ours give a bigint as text.
function asNumbers({ from, to }: BlockSpan): BlockSpan {
  return { from: Number(from), to: Number(to) };
}
