import type { BlockSpan } from "../block.js";
import type { Sql } from "../db/pool.js";

/** Takes blocks out of the coverage: they are not stored, whatever it says. */
export async function uncoverBlocks(sql: Sql, spans: readonly BlockSpan[]): Promise<void> {
  await sql.query(
    `update processing_coverage set blocks = blocks - lost
     from (
       select range_agg(int8range(first, last, '[]')) as lost
       from unnest($1::bigint[], $2::bigint[]) as span (first, last)
     ) as gone
     where blocks && lost`,
    [spans.map(({ from }) => from), spans.map(({ to }) => to)],
  );
}
