import type { Hex } from "../block.js";
import type { Tx } from "../db/pool.js";

export interface Reorg {
  forkBlock: number;
  /** Stored blocks that were removed. */
  depth: number;
  oldHead: number;
  newHead: number;
  oldHash: Hex | null;
  newHash: Hex;
  rowsRemoved: Record<string, number>;
  toldBy: string;
  confirmedBy: string;
}

/** PostgreSQL takes no longer channel: https://www.postgresql.org/docs/current/sql-notify.html */
const longestChannel = 63;

/**
 * The channel that tells readers of the chain's rows of a reorg. Its payload is the id in `reorgs`. The
 * name of a schema that has 47 letters or more is cut.
 */
export function reorgsChannel(schema: string): string {
  return `blockmill_reorgs_${schema}`.slice(0, longestChannel);
}

/** Records a reorg, and tells downstream readers when the transaction commits. */
export async function recordReorg(tx: Tx, schema: string, reorg: Reorg): Promise<void> {
  await tx.query(
    `with recorded as (
       insert into reorgs (fork_block, depth, old_head, new_head, old_hash, new_hash, rows_removed, told_by, confirmed_by)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning id
     )
     select pg_notify($10, id::text) from recorded`,
    [
      reorg.forkBlock,
      reorg.depth,
      reorg.oldHead,
      reorg.newHead,
      reorg.oldHash === null ? null : Buffer.from(reorg.oldHash.slice(2), "hex"),
      Buffer.from(reorg.newHash.slice(2), "hex"),
      JSON.stringify(reorg.rowsRemoved),
      reorg.toldBy,
      reorg.confirmedBy,
      reorgsChannel(schema),
    ],
  );
}
