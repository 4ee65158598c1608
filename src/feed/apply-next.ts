// The steps that say that blocks are stored, appended by the leading orchestrator.

import type pg from "pg";
import { inTransaction, type Tx } from "../db/pool.js";
import { saysAbsent } from "../queue/absent.js";
import { statuses } from "../queue/job-status.js";
import { lockCoverage } from "../queue/lock-coverage.js";
import { notifyReaders } from "./channel.js";

export interface Applied {
  /** How many steps were told. */
  steps: number;
  /** Heights that were told or passed. */
  heights: number;
}

// Where nothing is said: the first block above all that are stored. In an empty schema, the lowest that is asked for once
// a block is stored. Jobs that nobody works at do not count: they may never come.
const firstBlock = `
  select least(
    (select min(number) from blocks),
    (select min(block_number) from processing_jobs where queued or due_at < 'infinity'),
    (select min(next_block) from processing_ranges where enqueued_at is null and cancelled_at is null)
  ) as first
  where exists (select from blocks)`;

/**
 * Switches the feed on, if it is off: from now on the one door tells readers of every change. `from`: the first block that
 * is told; null: the first one above all that are stored.
 */
export async function openFeed(pool: pg.Pool, from: number | null): Promise<void> {
  const isOpen = await pool.query("select from chain_feed");
  if (isOpen.rowCount === 1) return;
  await inTransaction(pool, async (tx) => {
    await lockCoverage(tx);
    await tx.query(
      `insert into chain_feed (from_block) select coalesce($1::bigint, (select max(number) + 1 from blocks))
       on conflict do nothing`,
      [from],
    );
    await tx.query("update processing_coverage set feed = true where not feed");
  });
}

const isDue = `
  select from_block is null and exists (select from blocks)
    or exists (select from blocks where number = next)
    or exists (select from processing_coverage where absent @> next)
    or exists (
      select from processing_jobs where block_number = next and status = ${statuses.completed} and ${saysAbsent}
    ) as due
  from chain_feed, lateral (${nextHeight("chain_feed")}) as height (next)`;

/** The lowest height, from the first one on, that was neither told nor passed. */
export function nextHeight(feed: string): string {
  return `select coalesce(
      (select upper(piece) from unnest(${feed}.told + ${feed}.passed) as piece where piece @> ${feed}.from_block),
      ${feed}.from_block)`;
}

// The run of heights that begins at the next one, each stored or without a block, as far as the next that was told before.
const applySql = `
  with feed as materialized (
    select told, passed, last_id, (${nextHeight("chain_feed")}) as next from chain_feed
  ),
  bite as materialized (
    select next, least(next + $1, (
      select min(lower(piece)) from unnest(told + passed) as piece where lower(piece) > next
    )) as until
    from feed
  ),
  stored as materialized (
    select number, hash, parent_hash from bite, blocks where number >= next and number < until
  ),
  absent as materialized (
    select coalesce((select absent * blocks * int8multirange(int8range(next, until)) from processing_coverage), '{}')
      + coalesce((
        select range_agg(int8range(block_number, block_number + 1)) from processing_jobs
        where block_number >= next and block_number < until and status = ${statuses.completed} and ${saysAbsent}
      ), '{}')
      - coalesce((select range_agg(int8range(number, number + 1)) from stored), '{}') as heights
    from bite
  ),
  run as materialized (
    select piece as heights
    from bite, absent, unnest(
      absent.heights + coalesce((select range_agg(int8range(number, number + 1)) from stored), '{}')
    ) as piece
    where piece @> next
  ),
  told as (
    insert into chain_changes (id, kind, number, hash, parent_hash)
    select last_id + row_number() over (order by number), 'apply', number, hash, parent_hash
    from feed, run, stored where run.heights @> number order by number
    returning number
  ),
  counted as (
    update chain_feed
    set last_id = last_id + (select count(*) from told),
        passed = chain_feed.passed + absent.heights * int8multirange(run.heights),
        told = chain_feed.told + (int8multirange(run.heights) - absent.heights)
    from run, absent
    returning 1
  )
  select (select count(*) from told)::int as steps,
    coalesce((select upper(heights) - lower(heights) from run), 0)::int as heights`;

/**
 * Tells readers of the next blocks that are stored, up to the first that is missing and at most `limit` heights. Nothing
 * is locked while there is none, or while the feed is off.
 */
export async function applyNext(pool: pg.Pool, limit: number): Promise<Applied> {
  const nothing = { steps: 0, heights: 0 };
  const look = await pool.query<{ due: boolean }>(isDue);
  if (!look.rows[0]?.due) return nothing;
  return inTransaction(pool, async (tx) => {
    // In a statement of its own: what others changed before it held the lock is seen by the next one.
    const { feed } = await lockCoverage(tx);
    if (!feed) return nothing;
    await decideFirst(tx);
    const { rows } = await tx.query<Applied>(applySql, [limit]);
    const applied = rows[0] ?? nothing;
    if (applied.steps > 0) await tx.query(notifyReaders);
    return applied;
  });
}

async function decideFirst(tx: Tx): Promise<void> {
  await tx.query(
    `update chain_feed set from_block = first from (${firstBlock}) as found where from_block is null`,
  );
}

/** Removes steps, and kept rows, that no reader needs any more: at most `limit` steps. Returns how many went. */
export async function pruneFeed(
  pool: pg.Pool,
  { maxLag, limit }: { maxLag: number; limit: number },
): Promise<number> {
  const { rows } = await pool.query<{ through: string }>(prunableSql, [maxLag, limit]);
  const through = rows[0]?.through;
  if (through === undefined) return 0;
  return inTransaction(pool, async (tx) => {
    const { feed } = await lockCoverage(tx);
    if (!feed) return 0;
    // Looks anew: a reader may have started meanwhile.
    const locked = await tx.query<{ through: string }>(prunableSql, [maxLag, limit]);
    const until = locked.rows[0]?.through;
    if (until === undefined) return 0;
    await tx.query("delete from dropped_rows where change_id <= $1", [until]);
    const gone = await tx.query("delete from chain_changes where id <= $1", [until]);
    await tx.query("update chain_feed set pruned_through = $1", [until]);
    return gone.rowCount ?? 0;
  });
}

// A reader that is too slow holds nothing, unless it is pinned. Without readers the newest steps stay, for one to come.
const prunableSql = `
  select least(keep.through, pruned_through + $2::bigint)::text as through
  from chain_feed, lateral (
    select greatest(0, least(
      (select min(position) from chain_readers where pinned and position >= pruned_through),
      greatest(last_id - $1::bigint, (select min(position) from chain_readers where position >= pruned_through))
    )) as through
  ) as keep
  where keep.through > pruned_through`;
