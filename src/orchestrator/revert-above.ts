import type { Hex } from "../block.js";
import type { Head } from "../chain/parse/parse-head.js";
import type { Tx } from "../db/pool.js";
import { changeRows, type Door } from "../pipeline/change-rows.js";
import { lockHead, rewindHead } from "../queue/head.js";
import { wantedHashes } from "../queue/known-hashes.js";
import { recordReorg } from "../queue/reorgs.js";
import { requeueAbove } from "../queue/requeue-above.js";
import { storedHashes } from "../store/stored-hashes.js";
import { maxNumber } from "../store/stored-numbers.js";

export interface Revert {
  schema: string;
  /** The last block that stays. */
  forkBlock: number;
  /** The new branch above it, in order. The first is `forkBlock + 1`, unless the chain has no block there. */
  branch: readonly [Head, ...Head[]];
  /** The newest block of the old branch that is stored or asked for, and its hash right above the fork. */
  oldHead: number;
  oldHash: Hex | null;
  toldBy: string;
  confirmedBy: string;
}

/** Blocks whose rows one transaction removes at most. */
const batchBlocks = 64;

/**
 * Undoes a reorg: the rows above the fork point go, and their jobs want the new branch, in one
 * transaction; claims in flight lose their token in it. A deep reorg takes several, from the top down:
 * after each the tables hold whole blocks of one branch, and what was removed is suspended until the
 * last one re-queues it; a crash between them leaves the rest of the conflict for the next leader. Each goes
 * through the door by itself: readers are told of whole blocks that went, the highest first.
 * Returns how many rows went, by table; null: another leader has undone it already.
 */
export async function revertAbove(door: Door, revert: Revert): Promise<Record<string, number> | null> {
  const { schema, forkBlock, branch, oldHead } = revert;
  const rowsRemoved: Record<string, number> = {};
  for (let lower = Math.max(oldHead, forkBlock + 1); lower > forkBlock; ) {
    lower = Math.max(forkBlock, lower - batchBlocks);
    const last = lower === forkBlock;
    let stored: number[] = [];
    const rewind = () => ({ forkBlock: lower, branch: last ? branch : [], oldHead, stored });
    const done = await changeRows(door, {
      async decide(tx) {
        await lockHead(tx);
        if (await isUndone(tx, branch, forkBlock + 1)) return null;
        stored = [...(await storedHashes(tx, lower + 1)).keys()];
        await requeueAbove(tx, rewind());
        return { kind: "remove", spans: [{ from: lower + 1, to: maxNumber }] };
      },
      async settle(tx, removed) {
        // A job that was made and completed since it was decided lost its rows, or is of the old branch.
        await requeueAbove(tx, rewind());
        for (const [table, rows] of Object.entries(removed))
          rowsRemoved[table] = (rowsRemoved[table] ?? 0) + rows;
        if (!last) return true;
        const newHead = branch.at(-1)?.number ?? forkBlock;
        await rewindHead(tx, newHead + 1);
        await recordReorg(tx, schema, {
          forkBlock,
          depth: rowsRemoved.blocks ?? 0,
          oldHead,
          newHead,
          oldHash: revert.oldHash,
          newHash: branch[0].hash,
          rowsRemoved,
          toldBy: revert.toldBy,
          confirmedBy: revert.confirmedBy,
        });
        return true;
      },
    });
    if (done === null) return null;
  }
  return rowsRemoved;
}

/** Whether all that the database knows from the fork on is the new branch by now. */
async function isUndone(tx: Tx, branch: Revert["branch"], from: number): Promise<boolean> {
  const known = [...(await storedHashes(tx, from)), ...(await wantedHashes(tx, from))];
  const isNew = new Map(branch.map(({ number, hash }) => [number, hash]));
  return known.length > 0 && known.every(([number, hash]) => isNew.get(number) === hash);
}
