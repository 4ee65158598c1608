import type { Sql } from "../db/pool.js";
import { misfitsTable } from "../decode/decode-logs.js";

/** How it is with an event table. */
export interface DecoderStatus {
  id: number;
  table: string;
  event: string;
  configured: string;
  contract: string;
  /** Stored blocks whose rows are there. */
  covered: number;
  /** Stored blocks whose rows are not there yet. */
  missing: number;
  blocksPerSecond: number | null;
  /** Logs that were taken for the event and have another shape. */
  misfits: number;
  trouble: string | null;
  troubleAt: Date | null;
}

const status = (withMisfits: boolean): string => `
  with stored as (
    select blocks - absent + coalesce((
      select range_agg(int8range(block_number, block_number + 1)) from processing_jobs
      where completed_at is not null and not coalesce((result -> 'absent')::text = 'true', false)
    ), '{}') as blocks
    from processing_coverage
  ),
  noted as (
    select decoder, range_agg(span) as blocks
    from decoded_blocks, unnest(decoders) as decoder, unnest(decoded_blocks.blocks) as span group by 1
  ),
  known as (
    select decoders.*, (coverage + coalesce(noted.blocks, '{}')) * stored.blocks as there, stored.blocks as stored
    from decoders cross join stored left join noted on noted.decoder = decoders.id
  )
  select id, table_name as "table", definition ->> 'event' as event, configured,
    definition ->> 'contract' as contract,
    (select coalesce(sum(upper(span) - lower(span)), 0) from unnest(there) as span)::float8 as covered,
    (select coalesce(sum(upper(span) - lower(span)), 0) from unnest(stored - there) as span)::float8 as missing,
    blocks_per_second::float8 as "blocksPerSecond", trouble, trouble_at as "troubleAt",
    ${withMisfits ? `(select count(*) from ${misfitsTable} where decoder = known.id)` : "0"}::float8 as misfits
  from known order by table_name`;

/** Every event table and view, in the order of their names. */
export async function readDecoderStatus(sql: Sql): Promise<DecoderStatus[]> {
  const { rows } = await sql.query<{ there: boolean }>("select to_regclass($1) is not null as there", [
    misfitsTable,
  ]);
  return (await sql.query<DecoderStatus>(status(rows[0]?.there === true))).rows;
}
