// Which blocks' rows are there: a multirange for each decoder. A commit only notes what it has written (decoded_blocks);
// whoever holds the door's lock adds that up.

import type { BlockSpan } from "../block.js";
import type { Statement } from "../db/exchange.js";
import type { Sql, Tx } from "../db/pool.js";
import { generation } from "./registry.js";

export function multirangeOf(spans: readonly BlockSpan[]): string {
  return `{${spans.map(({ from, to }) => `[${from},${to}]`).join(",")}}`;
}

/**
 * Notes that these decoders' rows of these blocks are written, in the transaction that writes them. Answers with the
 * generation of what is applied by then. Where there is nothing to note, it only asks.
 */
export function noteDecoded(ids: readonly number[], spans: readonly BlockSpan[]): Statement<string | null> {
  const read: Statement<string | null>["read"] = ({ rows }) =>
    (rows[0] as { generation: string | null }).generation;
  if (ids.length === 0) return { query: { text: `select ${generation} as generation` }, read };
  return {
    query: {
      text: `insert into decoded_blocks (decoders, blocks) values ($1::int[], $2::int8multirange) returning ${generation} as generation`,
      values: [ids, multirangeOf(spans)],
    },
    read,
  };
}

/** Notes why a decoder's rows of some blocks are not there. */
export async function noteTrouble(sql: Sql, id: number, reason: string): Promise<void> {
  await sql.query("insert into decoded_blocks (decoders, blocks, trouble) values ('{}', '{}', $1)", [
    JSON.stringify({ [id]: reason }),
  ]);
}

const fold = `
  with gone as (
    delete from decoded_blocks returning id, decoders, blocks, trouble
  ),
  gained as (
    select decoder, range_agg(span) as blocks
    from gone, unnest(decoders) as decoder, unnest(blocks) as span group by 1
  ),
  told as (
    select distinct on (key::int) key::int as decoder, value as reason
    from gone, jsonb_each_text(trouble) order by key::int, id desc
  )
  update decoders
  set coverage = decoders.coverage + coalesce(gained.blocks, '{}'),
    trouble = told.reason,
    trouble_at = case when told.reason is not null then coalesce(decoders.trouble_at, clock_timestamp()) end
  from decoders as old
    left join gained on gained.decoder = old.id
    left join told on told.decoder = old.id
  where decoders.id = old.id and (gained.decoder is not null or told.decoder is not null)`;

/** Adds what commits have noted to the coverages. Behind the door's lock: two at once would each add to what they read. */
export async function foldDecoded(tx: Tx): Promise<void> {
  await tx.query(fold);
}

/** Takes blocks out of every coverage, whose rows are about to go or to be replaced. Behind the door's lock. */
export async function uncoverDecoded(tx: Tx, spans: readonly BlockSpan[]): Promise<void> {
  await foldDecoded(tx);
  await tx.query(
    "update decoders set coverage = coverage - $1::int8multirange where coverage && $1::int8multirange",
    [multirangeOf(spans)],
  );
}

/** A stored block, and the decoders whose rows of it are missing. */
export interface UncoveredBlock {
  number: number;
  logs: number;
  missing: readonly number[];
}

const uncovered = `
  with wanted as materialized (
    select id, coverage from decoders where id = any ($1::int[])
  ),
  gaps as (
    select lower(span) as first, coalesce(upper(span) - 1, $4) as last
    from unnest(int8multirange(int8range($3, $4, '[]')) - (select range_intersect_agg(coverage) from wanted)) as span
  )
  select found.number, found.log_count as logs,
    array(select id from wanted where not coverage @> found.number order by id) as missing
  from gaps cross join lateral (
    select number, log_count from blocks where number between first and last order by number limit $2
  ) as found
  limit $2`;

/** Stored blocks that these decoders do not all cover, the lowest first. */
export async function findUncovered(
  sql: Sql,
  ids: readonly number[],
  { limit, from = 0, to = Number.MAX_SAFE_INTEGER - 1 }: { limit: number; from?: number; to?: number },
): Promise<UncoveredBlock[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql.query<{ number: string | number; logs: number; missing: number[] }>(uncovered, [
    ids,
    limit,
    from,
    to,
  ]);
  return rows.map(({ number, logs, missing }) => ({ number: Number(number), logs, missing }));
}

/** Covers blocks whose rows were filled, in the transaction that wrote them. */
export async function coverFilled(
  tx: Tx,
  id: number,
  { spans, blocksPerSecond }: { spans: readonly BlockSpan[]; blocksPerSecond: number },
): Promise<void> {
  await tx.query(
    `update decoders set coverage = coverage + $2::int8multirange, blocks_per_second = $3, trouble = null, trouble_at = null
     where id = $1`,
    [id, multirangeOf(spans), blocksPerSecond],
  );
}
