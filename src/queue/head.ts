import type pg from "pg";
import type { BlockRef, Hex } from "../block.js";
import { type Statement, sendTogether } from "../db/exchange.js";
import { namedParameters } from "../db/named-parameters.js";
import { inTransaction, type Sql, type Tx } from "../db/pool.js";
import { enqueueSeries } from "./enqueue.js";
import { isParked, listOf, statuses } from "./job-status.js";
import { openRange } from "./ranges.js";

/** What processing_head says. */
export interface FollowedHead {
  chainId: number;
  /** The first block behind the head that was not enqueued; null: nobody followed with auto_enqueue yet. */
  nextBlock: number | null;
  headNumber: number;
  finalizedBlock: number | null;
}

interface Row {
  chain_id: number;
  next_block: number | null;
  head_number: number;
  finalized_block: number | null;
}

/** How far the chain was followed; null before it was for the first time. */
export async function readHead(sql: Sql): Promise<FollowedHead | null> {
  const { rows } = await sql.query<Row>(
    "select chain_id, next_block, head_number, finalized_block from processing_head",
  );
  const row = rows[0];
  if (row === undefined) return null;
  return {
    chainId: row.chain_id,
    nextBlock: row.next_block,
    headNumber: row.head_number,
    finalizedBlock: row.finalized_block,
  };
}

/** The newest head that was noted, and how many milliseconds ago; null: none was. */
export async function readNotedHead(sql: Sql): Promise<(BlockRef & { ageMs: number }) | null> {
  const { rows } = await sql.query<BlockRef & { ageMs: number }>(
    `select head_number as number, '0x' || encode(head_hash, 'hex') as hash,
       extract(epoch from clock_timestamp() - seen_at)::float8 * 1000 as "ageMs"
     from processing_head`,
  );
  return rows[0] ?? null;
}

/** More new blocks than this become a range, which is topped up, instead of a job each. */
const maxJobsAtOnce = 1_000;
/** The priority of the newest blocks. */
export const headPriority = 100;

export interface AdvanceOptions {
  chainId: number;
  /** The head and its ancestors, in order; at a number between two the chain has no block. Blocks among them are fetched by their hash, older ones by number. */
  headers: readonly { number: number; hash: Hex; timestamp: number }[];
  /** Those of them that are new since the last call. */
  fresh: readonly { number: number; hash: Hex }[];
  safeBlock: number | null;
  finalizedBlock: number | null;
  /** Where to begin when the schema follows its first head; null: at this head. */
  startBlock: number | null;
  /** How many of the newest blocks go ahead of the others. */
  priorityBlocks: number;
  autoEnqueue: boolean;
}

/**
 * Notes a new head and enqueues what lies between the last one and it, in one transaction: the newest
 * blocks first, the rest as jobs, or as a range when there are many. Jobs that waited for the head are pending from
 * then on, whoever made them. Returns how many blocks became
 * due. A head that is not newer enqueues nothing.
 *
 * It does not wait for the disk, so that workers are woken sooner: a crash of the server that undoes it
 * undoes all of it, and whoever leads next enqueues the same blocks. Rows of one of them cannot be on the
 * disk without it.
 */
export async function advanceHead(pool: pg.Pool, options: AdvanceOptions): Promise<number> {
  const { headers, fresh, startBlock, autoEnqueue } = options;
  const head = headers.at(-1);
  if (head === undefined) return 0;
  return inTransaction(pool, async (tx) => {
    // Null until somebody follows with auto_enqueue: a range that ran first decides nothing.
    const [followed, isAwaited] = await sendTogether(tx, [lockForNews, lookForAwaited(head.number)]);
    const from = followed ?? startBlock ?? head.number;
    const isNew = autoEnqueue && head.number >= from;
    const byHash = isNew ? withSkipped(headers).filter(({ number }) => number >= from) : [];
    const enqueued = new Set(byHash.map(({ number }) => number));
    const pinned = fresh.filter(({ number }) => !enqueued.has(number));
    if (isAwaited) await tx.query(reviveAwaited, [head.number, numbersOf(pinned)]);
    // The lowest blocks first, as everybody inserts and locks jobs: two that touch the same ones do not deadlock.
    if (isNew) await enqueueOlder(tx, from, options);
    await noteHead(tx, options, {
      pinned,
      byHash,
      nextBlock: isNew ? head.number + 1 : followed,
    });
    return isNew ? head.number - from + 1 : 0;
  });
}

// Jobs between the head so far and the new one that were looked for too early. Some failed for it in programs that had
// no patience.
const awaited = `
  block_number > (select head_number from processing_head) and block_number <= $1
  and not (${isParked})
  and ((absences > 0 and status in ${listOf(["scheduled", "failed"])})
    or (status = ${statuses.failed} and last_error like '%does not have block%'))`;

const lockForNews: Statement<number | null> = {
  query: {
    name: "lock_head",
    text: "select next_block, set_config('synchronous_commit', 'off', true) from processing_head for update",
  },
  read: ({ rows }) => rows[0]?.next_block ?? null,
};

/** A statement of its own, behind the lock: it sees what was postponed while that was waited for. */
const lookForAwaited = (head: number): Statement<boolean> => ({
  query: {
    name: "look_for_awaited",
    text: `select exists (select from processing_jobs where ${awaited}) as awaited`,
    values: [head],
  },
  read: ({ rows }) => rows[0]?.awaited === true,
});

// Those that noteHead is about to pin ($2) are locked with them: some of both may be below some of the others.
const reviveAwaited = `
  with held as materialized (
    select block_number from processing_jobs
    where block_number = any (array(
      select block_number from processing_jobs where ${awaited}
      union select unnest($2::bigint[])
    ))
    order by block_number for update
  )
  update processing_jobs
  set status = ${statuses.pending}, run_at = now(), absences = 0, last_error = null,
      attempts = case when status = ${statuses.failed} then 0 else attempts end
  where block_number = any (array(select block_number from held)) and ${awaited}`;

/** Holds the head until the transaction ends: whoever advances it, or undoes a reorg, waits. */
export async function lockHead(tx: Tx): Promise<void> {
  await tx.query("select from processing_head for update");
}

/** Lets the next head enqueue from `nextBlock` on again, after a reorg to a shorter branch. */
export async function rewindHead(tx: Tx, nextBlock: number): Promise<void> {
  // Null stays null: nobody follows yet.
  await tx.query("update processing_head set next_block = $1 where next_block > $1", [nextBlock]);
}

/** Enqueues from `from` up to what is fetched by its hash: as jobs, or as a range where there are many. */
async function enqueueOlder(
  tx: Tx,
  from: number,
  { headers, priorityBlocks }: AdvanceOptions,
): Promise<void> {
  const head = headers.at(-1);
  const oldestByHash = headers[0];
  if (head === undefined || oldestByHash === undefined) return;
  const to = oldestByHash.number - 1;
  if (to < from) return;
  const newest = Math.max(from, priorityFrom(head, priorityBlocks));
  const rest = Math.min(to, newest - 1);
  if (rest - from >= maxJobsAtOnce) await openRange(tx, { from, to: rest, byHead: true });
  else if (rest >= from) await enqueueSeries(tx, { from, to: rest });
  if (newest <= to) await enqueueSeries(tx, { from: newest, to, priority: headPriority });
}

/** The lowest block that goes ahead of the others. */
const priorityFrom = (head: { number: number }, priorityBlocks: number): number =>
  head.number - priorityBlocks + 1;

const isParkedJob = `job.status = ${statuses.scheduled} and job.run_at = 'infinity' and not job.suspended`;

// One statement, since a worker waits for it to be done. Jobs that people or ranges made learn which hash is
// wanted near the head: those that are enqueued now, and those that were before (pinned; no block is both).
// One that a reorg suspended runs again now that the branch has reached its height. Those that stand are locked first:
// they are below those that are enqueued, and everybody locks jobs in the order of their blocks.
const pinnedHash = "(:pinned_hashes::bytea[])[array_position(:pinned::bigint[], block_number)]";
const note = namedParameters<{
  pinned: number[];
  pinned_hashes: Buffer[];
  numbers: number[];
  hashes: (Buffer | null)[];
  priority_from: number;
  chain_id: number;
  next_block: number | null;
  head_number: number;
  head_hash: Buffer;
  head_time: number;
  safe_block: number | null;
  finalized_block: number | null;
}>(
  `
  with standing as materialized (
    select block_number from processing_jobs
    where block_number = any (:pinned::bigint[]) and status in (${statuses.pending}, ${statuses.scheduled})
      and block_hash is distinct from ${pinnedHash}
    order by block_number for update
  ),
  pinned as (
    update processing_jobs
    set block_hash = ${pinnedHash},
        status = case when suspended then ${statuses.pending} else status end,
        run_at = case when suspended then now() else run_at end, suspended = false
    where block_number = any (array(select block_number from standing))
  ),
  enqueued as (
    insert into processing_jobs as job (block_number, block_hash, priority)
    select number, hash, case when number >= :priority_from then ${headPriority} else 0 end
    from unnest(:numbers::bigint[], :hashes::bytea[]) as header (number, hash)
    where (select count(*) from standing) >= 0
      and not exists (select from processing_coverage where blocks @> number)
    order by number
    on conflict (block_number) do update
      set block_hash = excluded.block_hash, priority = greatest(job.priority, excluded.priority),
          status = case when ${isParkedJob} then job.status else ${statuses.pending} end,
          run_at = case when ${isParkedJob} then job.run_at else now() end, suspended = false
      where job.status in (${statuses.pending}, ${statuses.scheduled})
  )
  insert into processing_head
    (chain_id, next_block, head_number, head_hash, head_time, safe_block, finalized_block)
  values (:chain_id, :next_block, :head_number, :head_hash, to_timestamp(:head_time), :safe_block, :finalized_block)
  on conflict (one) do update
  set next_block = excluded.next_block, head_number = excluded.head_number, head_hash = excluded.head_hash,
      head_time = excluded.head_time, safe_block = excluded.safe_block,
      finalized_block = excluded.finalized_block, seen_at = clock_timestamp()`,
  "note_head",
);

async function noteHead(
  tx: Tx,
  { chainId, headers, safeBlock, finalizedBlock, priorityBlocks }: AdvanceOptions,
  { pinned, byHash, nextBlock }: { pinned: BlockRef[]; byHash: MaybeBlock[]; nextBlock: number | null },
): Promise<void> {
  const head = headers.at(-1);
  if (head === undefined) return;
  await tx.query(
    note({
      pinned: numbersOf(pinned),
      pinned_hashes: hashesOf(pinned),
      numbers: numbersOf(byHash),
      hashes: hashesOrNullOf(byHash),
      priority_from: priorityFrom(head, priorityBlocks),
      chain_id: chainId,
      next_block: nextBlock,
      head_number: head.number,
      head_hash: bytesOf(head.hash),
      head_time: head.timestamp,
      safe_block: safeBlock,
      finalized_block: finalizedBlock,
    }),
  );
}

/** Null: the chain has no block at the number, which is for its job to prove. */
type MaybeBlock = Omit<BlockRef, "hash"> & { hash: Hex | null };

/** The headers, with the numbers between them at which the chain has no block. */
function withSkipped(headers: readonly BlockRef[]): MaybeBlock[] {
  return headers.flatMap((header, i) => {
    const first = (headers[i - 1]?.number ?? header.number - 1) + 1;
    const skipped = Array.from({ length: header.number - first }, (_, at) => first + at);
    return [...skipped.map((number): MaybeBlock => ({ number, hash: null })), header];
  });
}

const numbersOf = (headers: readonly MaybeBlock[]): number[] => headers.map(({ number }) => number);
const hashesOf = (headers: readonly BlockRef[]): Buffer[] => headers.map(({ hash }) => bytesOf(hash));
const hashesOrNullOf = (headers: readonly MaybeBlock[]): (Buffer | null)[] =>
  headers.map(({ hash }) => (hash === null ? null : bytesOf(hash)));
const bytesOf = (hash: Hex): Buffer => Buffer.from(hash.slice(2), "hex");
