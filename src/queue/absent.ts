import type { BlockSpan } from "../block.js";
import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

/** A result that says that the chain has no block there, as a statement spells it. */
export const saysAbsent = "result ? 'absent'";

const absent = `
  with asked as (
    select range_agg(int8range(first, last, '[]')) as blocks
    from unnest($1::bigint[], $2::bigint[]) as span (first, last)
  )
  select lower(piece)::float8 as "from", upper(piece)::float8 - 1 as "to"
  from asked, unnest(asked.blocks * (
    (select absent * blocks from processing_coverage) + coalesce((
      select range_agg(int8range(block_number, block_number + 1)) from processing_jobs
      where status = ${statuses.completed} and ${saysAbsent}
        and block_number >= lower(asked.blocks) and block_number < upper(asked.blocks)
    ), '{}')
  )) as piece
  order by 1`;

/** The numbers of these spans at which the chain has no block, as far as the queue knows, as ranges, in order. */
export async function findAbsent(sql: Sql, spans: readonly BlockSpan[]): Promise<BlockSpan[]> {
  const { rows } = await sql.query<BlockSpan>(absent, [
    spans.map(({ from }) => from),
    spans.map(({ to }) => to),
  ]);
  return rows;
}

/** How many of the numbers of a span have no block on the chain, as far as the queue knows. */
export async function countAbsent(sql: Sql, span: BlockSpan): Promise<number> {
  const pieces = await findAbsent(sql, [span]);
  return pieces.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}
