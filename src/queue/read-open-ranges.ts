import type { Sql } from "../db/pool.js";

export interface OpenRange {
  id: number;
  from: number;
  to: number;
  /** The first block that is no job yet. */
  next: number;
  priority: number;
  force: boolean;
}

/** The open ranges in the order of their turn, at most `limit`, and how many there are. */
export async function readOpenRanges(
  sql: Sql,
  limit: number,
): Promise<{ total: number; ranges: OpenRange[] }> {
  const { rows } = await sql.query<OpenRange & { total: number }>(
    `select id, from_block as "from", to_block as "to", next_block as next, priority, force,
       count(*) over () as total
     from processing_ranges
     where enqueued_at is null and cancelled_at is null
     order by priority desc, id
     limit $1`,
    [limit],
  );
  return { total: rows[0]?.total ?? 0, ranges: rows.map(({ total, ...range }) => range) };
}
