import type pg from "pg";
import type { Head } from "../chain/parse/parse-head.js";
import { inTransaction } from "../db/pool.js";
import { rewindHead } from "../queue/head.js";
import { recordReorg } from "../queue/reorgs.js";
import { requeueAbove } from "../queue/requeue-above.js";
import { deleteBlocksAbove } from "../store/delete-blocks.js";

export interface Revert {
  schema: string;
  /** The last block that both branches have. */
  forkBlock: number;
  /** The new branch above it, in order. */
  branch: readonly Head[];
  /** The newest block of the old branch that is stored or asked for, and its hash right above the fork. */
  oldHead: number;
  oldHash: `0x${string}` | null;
  toldBy: string;
  confirmedBy: string;
}

/** Blocks whose rows one transaction removes at most. */
const batchBlocks = 64;

/**
 * Undoes a reorg: the rows above the fork point go, and their jobs want the new branch, in one
 * transaction; claims in flight lose their token in it. A deep reorg takes several, from the top down:
 * after each the tables hold whole blocks of one branch, and what was removed is suspended until the
 * last one re-queues it; a crash between them leaves the rest of the conflict for the next leader.
 */
export async function revertAbove(pool: pg.Pool, revert: Revert): Promise<Record<string, number>> {
  const { schema, forkBlock, branch, oldHead } = revert;
  const rowsRemoved: Record<string, number> = {};
  for (let lower = oldHead; lower > forkBlock; ) {
    lower = Math.max(forkBlock, lower - batchBlocks);
    const last = lower === forkBlock;
    await inTransaction(pool, async (tx) => {
      await requeueAbove(tx, { forkBlock: lower, branch: last ? branch : [], oldHead });
      const removed = await deleteBlocksAbove(tx, lower);
      for (const [table, rows] of Object.entries(removed))
        rowsRemoved[table] = (rowsRemoved[table] ?? 0) + rows;
      if (!last) return;
      const newHead = branch.at(-1)?.number ?? forkBlock;
      await rewindHead(tx, newHead + 1);
      await recordReorg(tx, schema, {
        forkBlock,
        depth: rowsRemoved.blocks ?? 0,
        oldHead,
        newHead,
        oldHash: revert.oldHash,
        newHash: branch[0]?.hash ?? "0x",
        rowsRemoved,
        toldBy: revert.toldBy,
        confirmedBy: revert.confirmedBy,
      });
    });
  }
  return rowsRemoved;
}
