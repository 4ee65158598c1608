// What the one door tells the readers of chain_changes. The door holds the coverage's lock: so ids have no gaps, and
// are in the order of the commits. What leads to apply is in apply-next.ts.

import type { BlockSpan } from "../block.js";
import { numberArray } from "../db/number-array.js";
import type { Tx } from "../db/pool.js";
import { readChainTables } from "../store/chain-tables.js";
import { notifyReaders } from "./channel.js";
import type { Feed, News } from "./feed.js";

export const chainFeed: Feed = {
  name: "chain_changes",
  isOn: ({ feed }) => feed,
  async keep(tx, { reverted, rewritten }) {
    if (reverted.length + rewritten.length === 0) return;
    const told = await takeBack(tx, reverted, rewritten);
    if (told.reverts.length > 0 && told.hasReaders) await keepRows(tx, told.reverts);
  },
  async tell(tx, { derived }) {
    if (derived !== null) await tellDerived(tx, derived);
    await tx.query(notifyReaders);
  },
};

// A told block that is not stored, and was not passed as absent, was removed by hand: its hash is that of its last step,
// if that is still there. The highest goes first; a block that is written again comes back at once.
const takeBackSql = `
  with feed as materialized (select told, passed, last_id from chain_feed),
  gone as materialized (
    select coalesce(range_agg(int8range(first, last, '[]')), '{}') as blocks
    from unnest($1::bigint[], $2::bigint[]) as span (first, last)
  ),
  taken as materialized (
    select number, hash, parent_hash, false as comes_back
    from feed, gone, unnest(feed.told * gone.blocks) as piece, blocks
    where number >= lower(piece) and number < upper(piece)
    union all
    select number, hash, parent_hash, true
    from feed, blocks where number = any ($3::bigint[]) and feed.told @> number
  ),
  lost as (
    select height as number, step.hash, step.parent_hash, false as comes_back
    from feed, gone,
      unnest(feed.told * gone.blocks
        - coalesce((select range_agg(int8range(taken.number, taken.number + 1)) from taken), '{}')) as piece,
      generate_series(lower(piece), upper(piece) - 1) as height
      left join lateral (
        select hash, parent_hash from chain_changes
        where number = height and kind = 'apply' order by id desc limit 1
      ) as step on true
  ),
  steps as (
    select feed.last_id + row_number() over (order by comes_back, case when comes_back then number else -number end, kind desc) as id,
      kind, number, hash, parent_hash
    from feed, (select * from taken union all select * from lost) as block,
      unnest(case when comes_back then '{revert,apply}'::text[] else '{revert}' end) as kind
  ),
  told as (
    insert into chain_changes (id, kind, number, hash, parent_hash)
    select id, kind, number, hash, parent_hash from steps order by id
    returning id, kind, number
  ),
  counted as (
    update chain_feed
    set last_id = last_id + (select count(*) from told),
        told = chain_feed.told - gone.blocks, passed = chain_feed.passed - gone.blocks
    from gone
    where chain_feed.told && gone.blocks or chain_feed.passed && gone.blocks or exists (select from told)
  )
  select exists (select from chain_readers) as "hasReaders",
    coalesce((select array_agg(id order by id) from told where kind = 'revert'), '{}')::text[] as ids,
    coalesce((select array_agg(number order by id) from told where kind = 'revert'), '{}')::text[] as numbers`;

interface Revert {
  id: number;
  number: number;
}

async function takeBack(
  tx: Tx,
  reverted: readonly BlockSpan[],
  rewritten: readonly number[],
): Promise<{ hasReaders: boolean; reverts: Revert[] }> {
  const { rows } = await tx.query<{ hasReaders: boolean; ids: string[]; numbers: string[] }>(takeBackSql, [
    ...bounds(reverted),
    numberArray(rewritten),
  ]);
  const { hasReaders = false, ids = [], numbers = [] } = rows[0] ?? {};
  return { hasReaders, reverts: ids.map((id, i) => ({ id: Number(id), number: Number(numbers[i]) })) };
}

/** Keeps the rows of blocks, as they stand, from every table that has some. */
async function keepRows(tx: Tx, reverts: readonly Revert[]): Promise<void> {
  const tables = await readChainTables(tx);
  const rows = tables.map(
    ({ name, blockColumn }) =>
      `select id, gone.number, '${name}' as table_name, to_jsonb(old) as row
       from gone join "${name}" as old on old.${blockColumn} = gone.number`,
  );
  await tx.query(
    `with gone (id, number) as materialized (select * from unnest($1::bigint[], $2::bigint[]))
     insert into dropped_rows (change_id, number, hash, table_name, row)
     select kept.id, kept.number, step.hash, kept.table_name, kept.row
     from (${rows.join(" union all ")}) as kept join chain_changes as step on step.id = kept.id`,
    [numberArray(reverts.map(({ id }) => id)), numberArray(reverts.map(({ number }) => number))],
  );
}

// Blocks that were not told yet come with what is derived of them.
const tellDerivedSql = `
  with feed as materialized (select told, last_id from chain_feed),
  told as (
    insert into chain_changes (id, kind, decoder, from_block, to_block)
    select feed.last_id + row_number() over (order by piece), 'derive', $3, lower(piece), upper(piece) - 1
    from feed, unnest(feed.told * (
      select range_agg(int8range(first, last, '[]')) from unnest($1::bigint[], $2::bigint[]) as span (first, last)
    )) as piece
    returning id
  )
  update chain_feed set last_id = last_id + (select count(*) from told) where exists (select from told)`;

async function tellDerived(tx: Tx, { name, spans }: NonNullable<News["derived"]>): Promise<void> {
  await tx.query(tellDerivedSql, [...bounds(spans), name]);
}

function bounds(spans: readonly BlockSpan[]): [from: string, to: string] {
  return [numberArray(spans.map(({ from }) => from)), numberArray(spans.map(({ to }) => to))];
}
