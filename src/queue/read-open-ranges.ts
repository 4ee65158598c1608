import type { Sql } from "../db/pool.js";
import { type BoundedCount, mostRanges } from "./read-depth.js";

export interface OpenRange {
  id: number;
  from: number;
  to: number;
  /** The first block that is no job yet. */
  next: number;
  priority: number;
  force: boolean;
}

/** The open ranges in the order of their turn, at most `limit`, and how many there are, counted up to a bound. */
export async function readOpenRanges(
  sql: Sql,
  limit: number,
): Promise<{ total: BoundedCount; ranges: OpenRange[] }> {
  const { rows } = await sql.query<OpenRange & { total: number }>(
    `with open as (
       select id, from_block, to_block, next_block, priority, force from processing_ranges
       where enqueued_at is null and cancelled_at is null
       order by priority desc, id limit $2
     )
     select id, from_block as "from", to_block as "to", next_block as next, priority, force,
       (select count(*) from open) as total
     from open order by priority desc, id limit $1`,
    [limit, mostRanges],
  );
  const total = Number(rows[0]?.total ?? 0);
  return {
    total: { count: total, atLeast: total >= mostRanges },
    ranges: rows.map(({ total, ...range }) => range),
  };
}
