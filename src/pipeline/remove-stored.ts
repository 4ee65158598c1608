import type { BlockSpan } from "../block.js";
import { forgetCompleted } from "../queue/forget-completed.js";
import { newestStored } from "../store/stored-hashes.js";
import { changeRows, type Door } from "./change-rows.js";

/** Blocks whose rows one transaction removes at most. */
const biteBlocks = 64;

/**
 * Removes what is stored of a span, and that it was done: its blocks count as gaps from then on, and are fetched again
 * only if somebody asks for them. Jobs that are not done go on. From the top down, some blocks to a transaction; one
 * that is cut short leaves whole blocks. Returns how many blocks went.
 */
export async function removeStored(door: Door, { from, to }: BlockSpan): Promise<number> {
  let removed = 0;
  for (let top = to; top >= from; ) {
    const newest = await newestStored(door.pool, { below: top + 1, limit: biteBlocks });
    const lowest = newest.length < biteBlocks ? from : Math.max(from, newest.at(-1)?.number ?? from);
    const bite = { from: lowest, to: top };
    const counts = await changeRows(door, {
      async decide(tx) {
        await forgetCompleted(tx, bite);
        return { kind: "remove", spans: [bite] };
      },
      settle: async (_tx, counts) => counts,
    });
    removed += counts?.blocks ?? 0;
    top = lowest - 1;
  }
  return removed;
}
