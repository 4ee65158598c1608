import type pg from "pg";
import { inTransaction, type Sql, type Tx } from "../db/pool.js";
import { enqueueSeries } from "./enqueue.js";

export interface RangeRequest {
  from: number;
  to: number;
  priority?: number;
  force?: boolean;
  /** The blocks between two heads: cut when the later one proves false. */
  byHead?: boolean;
}

/** Asks for a range of blocks, inclusive: one row, in constant time. Returns the range's id. */
export async function openRange(
  sql: Sql,
  { from, to, priority = 0, force = false, byHead = false }: RangeRequest,
): Promise<number> {
  const { rows } = await sql.query<{ id: number }>(
    `insert into processing_ranges (from_block, to_block, next_block, priority, force, by_head)
     values ($1, $2, $1, $3, $4, $5) returning id`,
    [from, to, priority, force, byHead],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error("insert returned no row");
  return id;
}

const openRanges = `
  select id, to_block, next_block, priority, force from processing_ranges
  where enqueued_at is null and cancelled_at is null
  order by priority desc, id
  limit 1
  for update`;

interface Row {
  id: number;
  to_block: number;
  next_block: number;
  priority: number;
  force: boolean;
}

/** Steps of one top-up: a range whose blocks are stored already is passed over so many windows at a time. */
const maxSteps = 50;

/**
 * Turns the next blocks of the open ranges into jobs until about `window` jobs are queued. Returns
 * whether a range is still open, and how many jobs were made. Each step is a short transaction.
 */
export async function topUpRanges(
  pool: pg.Pool,
  window: number,
): Promise<{ open: boolean; enqueued: number }> {
  let enqueued = 0;
  for (let step = 0; step < maxSteps; step += 1) {
    const made = await inTransaction(pool, (tx) => topUpOnce(tx, window));
    if (made === "none open") return { open: false, enqueued };
    if (made === "full") break;
    enqueued += made;
  }
  return { open: true, enqueued };
}

async function topUpOnce(tx: Tx, window: number): Promise<number | "none open" | "full"> {
  const { rows } = await tx.query<Row>(openRanges);
  const range = rows[0];
  if (range === undefined) return "none open";
  const queued = await countQueued(tx, window);
  // Half a window of hysteresis: whole bites, not a trickle.
  if (queued > window / 2) return "full";
  const to = Math.min(range.to_block, range.next_block + window - queued - 1);
  const enqueued = await enqueueSeries(tx, {
    from: range.next_block,
    to,
    priority: range.priority,
    force: range.force,
  });
  await tx.query(
    `update processing_ranges
     set next_block = $2, enqueued_at = case when $2 > to_block then clock_timestamp() end where id = $1`,
    [range.id, to + 1],
  );
  return enqueued;
}

async function countQueued(sql: Sql, limit: number): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    "select count(*) as count from (select from processing_jobs where queued limit $1) as bounded",
    [limit],
  );
  return rows[0]?.count ?? 0;
}
