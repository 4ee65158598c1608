import type { Sql } from "../db/pool.js";

export interface Gap {
  from: number;
  to: number;
}

const done = `
  (select blocks from processing_coverage)
  + coalesce((select range_agg(int8range(block_number, block_number + 1)) from processing_jobs where status = 'completed'), '{}')`;

/**
 * The blocks from `from` to `to` that are not stored, as ranges, in order; at most `limit`. It reads
 * coverage and the completed jobs that are not archived yet, never the chain's tables: so it answers at
 * once however many blocks are stored.
 */
export async function findGaps(sql: Sql, { from, to, limit }: Gap & { limit: number }): Promise<Gap[]> {
  const { rows } = await sql.query<Gap>(
    `select lower(gap) as "from", upper(gap) - 1 as "to"
     from unnest(int8multirange(int8range($1, $2, '[]')) - (${done})) as gap
     order by 1 limit $3`,
    [from, to, limit],
  );
  return rows;
}

/** The lowest and the highest block that is stored; null: none is. */
export async function storedSpan(sql: Sql): Promise<Gap | null> {
  const { rows } = await sql.query<{ from: number | null; to: number | null }>(
    `select lower(span) as "from", upper(span) - 1 as "to" from (select range_merge(${done}) as span) as merged`,
  );
  const row = rows[0];
  return row === undefined || row.from === null || row.to === null ? null : { from: row.from, to: row.to };
}
