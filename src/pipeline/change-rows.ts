// The one door. Whatever changes rows that are stored goes through changeRows: a reorg, a repair, a forced or retried
// block, a removal by hand, rows that a decoder makes anew. Nothing else may import what removes rows
// (.dependency-cruiser.cjs), and test/layers.test.ts finds statements that go around it.
//
// Locks are taken in one order by everybody: the coverage (the door), the head, jobs in the order of their blocks,
// edges between blocks (check-links.ts), rows. A commit of blocks of which none is stored begins with the jobs. It
// never turns to the door while it holds them: it is rolled back, and begun again behind the door.

import type pg from "pg";
import type { BlockSpan } from "../block.js";
import { type Statement, sendTogether } from "../db/exchange.js";
import { inTransaction, type Tx } from "../db/pool.js";
import type { News } from "../feed/feed.js";
import { lockCoverage } from "../queue/lock-coverage.js";
import { uncoverBlocks } from "../queue/uncover.js";
import { deleteBlockNumbers, deleteBlocks } from "../store/delete-blocks.js";
import { deleteDerived } from "../store/delete-derived.js";
import { deleteOrphans, deleteStrays } from "../store/delete-orphans.js";
import type { DerivedSpan } from "../store/derived-table.js";
import type { EncodedBlock } from "../store/encode-block.js";
import { readDigests } from "../store/read-digests.js";
import { storedDigests } from "../store/stored-digests.js";
import { copyBlocks } from "../store/write-blocks.js";
import type { Dependents, TakenBlocks } from "./dependents.js";
import { mergeSpans, subtractNumbers } from "./merge-spans.js";

export interface Door {
  pool: pg.Pool;
  dependents: Dependents;
}

/**
 * - `remove`: whatever is stored in these spans goes, and they are not covered any more.
 * - `clear`: what somebody left of blocks in these spans, which are not stored: rows without a block, and what the
 *   coverage says. A block in them that was stored meanwhile stays as it is.
 * - `clear strays`: rows go whose number no block can have.
 * - `rewrite`: these blocks are written, in place of those that are stored under `numbers`; and `following`, what follows
 *   from their rows.
 * - `derive`: a decoder's rows of these spans are made anew by `write`. The chain's rows stay. `tables`: only these rows go,
 *   which a part of the derivation made, and its `forget` is not called.
 */
export type RowChange =
  | { kind: "remove"; spans: readonly BlockSpan[] }
  | { kind: "clear"; spans: readonly BlockSpan[] }
  | { kind: "clear strays" }
  | {
      kind: "rewrite";
      blocks: readonly EncodedBlock[];
      numbers: readonly number[];
      following?: readonly Statement<unknown>[];
    }
  | {
      kind: "derive";
      name: string;
      spans: readonly BlockSpan[];
      tables?: readonly DerivedSpan[];
      write(tx: Tx): Promise<void>;
    };

/** How many rows went, by table; those that no block has by `orphans` and `strays`. */
export type Removed = Readonly<Record<string, number>>;

export interface ChangeRequest<T> {
  /**
   * Runs behind the door's lock: takes the locks of the jobs that it concerns, looks, and says what changes. Null:
   * no row does; what it did itself is committed.
   */
  decide(tx: Tx): Promise<RowChange | null>;
  /** Runs in the same transaction, when the rows have changed. `removed` is how many went. */
  settle(tx: Tx, removed: Removed): Promise<T>;
}

/**
 * Changes rows in one transaction. Under the lock that orders all such changes: decides what changes; takes away
 * what was summed and derived from the old rows; uncovers, removes or rewrites; tells readers. Resolves to what
 * `settle` gives, or to null where nothing was to change. What `decide` throws rolls everything back.
 */
export function changeRows<T>(
  { pool, dependents }: Door,
  { decide, settle }: ChangeRequest<T>,
): Promise<T | null> {
  return inTransaction(pool, async (tx) => {
    const coverage = await lockCoverage(tx);
    const feeds = dependents.feeds.filter((feed) => feed.isOn(coverage));
    const decided = await decide(tx);
    if (decided === null) return null;
    const change = await withoutStored(tx, decided);
    const taken = await lookAt(tx, change, { ...dependents, feeds });
    const news = newsOf(change, taken);
    const isNews = news.reverted.length > 0 || news.rewritten.length > 0 || news.derived !== null;
    if (isNews) for (const feed of feeds) await feed.keep(tx, news);
    await takeAway(tx, { change, taken, dependents });
    const removed = await carryOut(tx, change);
    if (isNews) for (const feed of feeds) await feed.tell(tx, news);
    return settle(tx, removed);
  });
}

/** Nothing is taken from blocks that somebody has stored since they were found to be missing. */
async function withoutStored(tx: Tx, change: RowChange): Promise<RowChange> {
  if (change.kind !== "clear") return change;
  const spans = mergeSpans(change.spans);
  const stored = (await readDigests(tx, spans)).map(({ number }) => number);
  return { ...change, spans: subtractNumbers(spans, stored) };
}

/** What dependents must know of the old rows. Where there is nobody who must, nothing is read. */
async function lookAt(tx: Tx, change: RowChange, { sums, feeds }: Dependents): Promise<TakenBlocks> {
  const spans = spansOf(change);
  const isCompared = change.kind === "rewrite" && feeds.length > 0;
  if (spans.length === 0 || !(isCompared || sums.length > 0)) return { spans, stored: [] };
  const blocks = await readDigests(tx, spans);
  const digests = await storedDigests(
    tx,
    blocks.map(({ number }) => number),
  );
  return {
    spans,
    stored: blocks.map((block) => ({
      ...block,
      isIntact: block.digest !== null && digests.get(block.number) === block.digest,
    })),
  };
}

function spansOf(change: RowChange): BlockSpan[] {
  switch (change.kind) {
    case "clear strays":
      return [];
    case "rewrite":
      return mergeSpans(change.numbers.map((number) => ({ from: number, to: number })));
    default:
      return mergeSpans(change.spans);
  }
}

async function takeAway(
  tx: Tx,
  { change, taken, dependents }: { change: RowChange; taken: TakenBlocks; dependents: Dependents },
): Promise<void> {
  if (taken.spans.length === 0) return;
  const { sums, derived } = dependents;
  for (const sum of sums) await sum.takeAway(tx, taken);
  for (const rows of derived) {
    const isMade = change.kind === "derive";
    if (!isMade || (change.name === rows.name && change.tables === undefined))
      await rows.forget(tx, taken.spans);
  }
}

async function carryOut(tx: Tx, change: RowChange): Promise<Removed> {
  switch (change.kind) {
    case "remove":
      await uncoverBlocks(tx, change.spans);
      return deleteSpans(tx, change.spans);
    case "clear":
      await uncoverBlocks(tx, change.spans);
      return { orphans: await deleteOrphans(tx, change.spans) };
    case "clear strays":
      return { strays: await deleteStrays(tx) };
    case "rewrite": {
      const removed = await deleteBlockNumbers(tx, change.numbers);
      await sendTogether(tx, [...copyBlocks(change.blocks), ...(change.following ?? [])]);
      return removed;
    }
    case "derive":
      await deleteDerived(tx, change.tables ?? []);
      await change.write(tx);
      return {};
  }
}

async function deleteSpans(tx: Tx, spans: readonly BlockSpan[]): Promise<Removed> {
  const removed: Record<string, number> = {};
  for (const span of spans)
    for (const [table, rows] of Object.entries(await deleteBlocks(tx, span)))
      removed[table] = (removed[table] ?? 0) + rows;
  return removed;
}

/**
 * A block that is written again with the very rows that stand there is no news: whoever read it has read just that.
 * Totals and derived rows are taken away all the same, since what a decoder makes of it may be another thing by now.
 */
function newsOf(change: RowChange, { spans, stored }: TakenBlocks): News {
  if (change.kind === "derive") return { reverted: [], rewritten: [], derived: { name: change.name, spans } };
  if (change.kind !== "rewrite") return { reverted: spans, rewritten: [], derived: null };
  const written = new Map(change.blocks.map((block) => [block.number, block]));
  const reverted: BlockSpan[] = [];
  const rewritten: number[] = [];
  for (const { number, hash, digest, isIntact } of stored) {
    const block = written.get(number);
    if (block?.hash !== hash) reverted.push({ from: number, to: number });
    else if (!isIntact || digest !== `0x${block.digest.toString("hex")}`) rewritten.push(number);
  }
  return { reverted: mergeSpans(reverted), rewritten, derived: null };
}
