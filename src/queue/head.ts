import type pg from "pg";
import { inTransaction, type Sql } from "../db/pool.js";
import { enqueueSeries } from "./enqueue.js";
import { openRange } from "./ranges.js";

export interface Head {
  number: number;
  hash: `0x${string}`;
  /** Seconds since 1970. */
  timestamp: number;
}

/** What processing_head says; null before the schema followed a chain. */
export interface FollowedHead {
  chainId: number;
  nextBlock: number;
  headNumber: number;
}

export async function readHead(sql: Sql): Promise<FollowedHead | null> {
  const { rows } = await sql.query<{ chain_id: number; next_block: number; head_number: number }>(
    "select chain_id, next_block, head_number from processing_head",
  );
  const row = rows[0];
  return row === undefined
    ? null
    : { chainId: row.chain_id, nextBlock: row.next_block, headNumber: row.head_number };
}

/** More new blocks than this become a range, which is topped up, instead of a job each. */
const maxJobsAtOnce = 1_000;
/** The priority of the newest blocks. */
export const headPriority = 100;

export interface AdvanceOptions {
  chainId: number;
  head: Head;
  /** Where to begin when the schema follows its first head; null: at this head. */
  startBlock: number | null;
  /** How many of the newest blocks go ahead of the others. */
  priorityBlocks: number;
  autoEnqueue: boolean;
}

/**
 * Notes a new head and enqueues what lies between the last one and it, in one transaction: the newest
 * blocks first, the rest as jobs, or as a range when there are many. Returns how many blocks became
 * due. A head that is not newer enqueues nothing.
 */
export async function advanceHead(pool: pg.Pool, options: AdvanceOptions): Promise<number> {
  const { chainId, head, startBlock, priorityBlocks, autoEnqueue } = options;
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ next_block: number }>(
      "select next_block from processing_head for update",
    );
    const from = rows[0]?.next_block ?? startBlock ?? head.number;
    const isNew = autoEnqueue && head.number >= from;
    if (isNew) {
      const newest = Math.max(from, head.number - priorityBlocks + 1);
      if (newest <= head.number)
        await enqueueSeries(tx, { from: newest, to: head.number, priority: headPriority });
      if (newest - from > maxJobsAtOnce) await openRange(tx, { from, to: newest - 1 });
      else if (newest > from) await enqueueSeries(tx, { from, to: newest - 1 });
    }
    await tx.query(
      `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
       values ($1, $2, $3, decode(substr($4, 3), 'hex'), to_timestamp($5))
       on conflict (one) do update
       set next_block = excluded.next_block, head_number = excluded.head_number, head_hash = excluded.head_hash,
           head_time = excluded.head_time, seen_at = clock_timestamp()`,
      [chainId, isNew ? head.number + 1 : from, head.number, head.hash, head.timestamp],
    );
    return isNew ? head.number - from + 1 : 0;
  });
}
