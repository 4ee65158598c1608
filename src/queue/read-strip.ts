import { namedParameters } from "../db/named-parameters.js";
import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";
import { mostCompleted, mostCounted, mostRanges } from "./read-depth.js";

/** What the blocks of one part of the strip are; the rest of them nobody asked for. */
export interface Part {
  /** Archived, or completed. */
  stored: number;
  processing: number;
  /** Pending: up to 100 of one part. */
  queued: number;
  scheduled: number;
  /** Up to 100 of one part each. */
  failed: number;
  cancelled: number;
  /** In an open range, and no job yet. */
  ahead: number;
}

export interface Strip {
  from: number;
  to: number;
  /** Blocks of each part; the last may have fewer. */
  size: number;
  /** From `from` on; null: nothing is known of it. */
  parts: (Part | null)[];
}

/** The lowest and the highest block that anything is known of; null: there is none. */
export interface Bounds {
  from: number;
  to: number;
}

/** A strip has at most so many parts. */
export const mostParts = 600;
/** Up to so many blocks are read one by one. */
const mostSingle = 2_000;
const mostOfPart = 100;

const bounds = `
  select least(
      (select lower(blocks) from processing_coverage),
      (select min(block_number) from processing_jobs),
      (select min(next_block) from (
         select next_block from processing_ranges where enqueued_at is null and cancelled_at is null
         order by priority desc, id limit ${mostRanges}
       ) as one)
    ) as "from",
    greatest(
      (select upper(blocks) - 1 from processing_coverage),
      (select max(block_number) from processing_jobs where block_number <= coalesce((select head_number from processing_head), 9007199254740990)),
      (select max(to_block) from (
         select to_block from processing_ranges where enqueued_at is null and cancelled_at is null
         order by priority desc, id limit ${mostRanges}
       ) as one),
      (select head_number from processing_head)
    ) as "to"`;

export async function readBounds(sql: Sql): Promise<Bounds | null> {
  const { rows } = await sql.query<{ from: number | null; to: number | null }>(bounds);
  const { from = null, to = null } = rows[0] ?? {};
  return from === null || to === null ? null : { from, to: Math.max(from, to) };
}

/** Pieces of blocks by part: each piece counts in every part that it reaches into. */
const spread = (pieces: string, what: string): string => `
  select part, '${what}' as what,
    sum(least(piece_to, :from::bigint + (part + 1) * :size::bigint - 1) - greatest(piece_from, :from::bigint + part * :size::bigint) + 1)::bigint as blocks
  from (${pieces}) as piece, generate_series((piece_from - :from::bigint) / :size::bigint, (piece_to - :from::bigint) / :size::bigint) as part
  group by part`;

const within = `
  select greatest(lower(piece), :from::bigint) as piece_from, least(upper(piece) - 1, :to::bigint) as piece_to
  from unnest(multi) as piece`;

// The one row as a value: as a table PostgreSQL takes it for hundreds, and compiles (JIT) for seconds what takes milliseconds.
const archived = `
  select one.* from (
    select (select blocks from processing_coverage) * int8multirange(int8range(:from::bigint, :to::bigint + 1)) as multi
  ) as cut, lateral (${within}) as one`;

const ahead = `
  select one.* from (
    select coalesce(range_agg(int8range(next_block, to_block + 1)) * int8multirange(int8range(:from::bigint, :to::bigint + 1)), '{}')
      - (select blocks from processing_coverage) as multi
    from (
      select next_block, to_block from processing_ranges
      where enqueued_at is null and cancelled_at is null and next_block <= :to::bigint and to_block >= :from::bigint
      order by priority desc, id limit ${mostRanges}
    ) as open
  ) as cut, lateral (${within}) as one`;

const single = namedParameters<{ from: number; to: number; size: number }>(
  `${spread(archived, "archived")}
   union all
   ${spread(ahead, "ahead")}
   union all
   select (block_number - :from::bigint) / :size::bigint, status, count(*) from processing_jobs
   where block_number between :from::bigint and :to::bigint group by 1, 2`,
);

/** Each kind of job by an index of its own, up to a bound, in every part or in all. */
const wide = namedParameters<{ from: number; to: number; size: number; parts: number }>(
  `with part as (
     select part, :from::bigint + part * :size::bigint as low, least(:from::bigint + (part + 1) * :size::bigint - 1, :to::bigint) as high
     from generate_series(0, :parts::bigint - 1) as part
   ),
   listed as (
     (select block_number, 'completed' as what from processing_jobs
      where completed_at is not null order by completed_at desc limit ${mostCompleted})
     union all
     (select block_number, 'scheduled' from processing_jobs where due_at is not null order by due_at limit ${mostCounted})
     union all
     select block_number, status from (
       select block_number, status from processing_jobs where queued order by priority desc, block_number limit ${mostCounted}
     ) as next where status = ${statuses.processing}
   )
   ${spread(archived, "archived")}
   union all
   ${spread(ahead, "ahead")}
   union all
   select (block_number - :from::bigint) / :size::bigint, what, count(*) from listed where block_number between :from::bigint and :to::bigint group by 1, 2
   union all
   select part, halted.status, count(*) from part, lateral (
     select status from processing_jobs
     where not queued and completed_at is null and due_at is null and block_number between low and high limit ${mostOfPart}
   ) as halted group by 1, 2
   union all
   select part, 'pending', count(*) from part, lateral (
     select from processing_jobs where block_number between low and high and queued and status = ${statuses.pending}
     limit ${mostOfPart}
   ) as queued group by 1`,
);

interface Row {
  part: number;
  what: string;
  blocks: number;
}

/** What the blocks of `from` to `to` are, in at most `parts` parts of equal size: cheap at any length. */
export async function readStrip(
  sql: Sql,
  { from, to, parts: wanted }: { from: number; to: number; parts: number },
): Promise<Strip> {
  const size = Math.max(1, Math.ceil((to - from + 1) / Math.min(wanted, mostParts)));
  const count = Math.ceil((to - from + 1) / size);
  const statement =
    to - from < mostSingle ? single({ from, to, size }) : wide({ from, to, size, parts: count });
  const { rows } = await sql.query<Row>(statement);
  const parts: (Part | null)[] = new Array<Part | null>(count).fill(null);
  for (const { part, what, blocks } of rows) {
    const at = Number(part);
    const its = parts[at] ?? emptyPart();
    parts[at] = its;
    const name = partNames[what];
    if (name !== undefined) its[name] = Math.min(size, its[name] + Number(blocks));
  }
  return { from, to, size, parts };
}

const partNames: Record<string, keyof Part> = {
  archived: "stored",
  completed: "stored",
  processing: "processing",
  pending: "queued",
  scheduled: "scheduled",
  failed: "failed",
  cancelled: "cancelled",
  ahead: "ahead",
};

const emptyPart = (): Part => ({
  stored: 0,
  processing: 0,
  queued: 0,
  scheduled: 0,
  failed: 0,
  cancelled: 0,
  ahead: 0,
});
