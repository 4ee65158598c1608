import type { Hex } from "../block.js";
import { namedParameters } from "../db/named-parameters.js";
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

const record = namedParameters<{
  fork_block: number;
  depth: number;
  old_head: number;
  new_head: number;
  old_hash: Buffer | null;
  new_hash: Buffer;
  rows_removed: string;
  told_by: string;
  confirmed_by: string;
  channel: string;
}>(`
  with recorded as (
    insert into reorgs (fork_block, depth, old_head, new_head, old_hash, new_hash, rows_removed, told_by, confirmed_by)
    values (:fork_block, :depth, :old_head, :new_head, :old_hash, :new_hash, :rows_removed, :told_by, :confirmed_by)
    returning id
  )
  select pg_notify(:channel, id::text) from recorded`);

/** Records a reorg, and tells downstream readers when the transaction commits. */
export async function recordReorg(tx: Tx, schema: string, reorg: Reorg): Promise<void> {
  await tx.query(
    record({
      fork_block: reorg.forkBlock,
      depth: reorg.depth,
      old_head: reorg.oldHead,
      new_head: reorg.newHead,
      old_hash: reorg.oldHash === null ? null : Buffer.from(reorg.oldHash.slice(2), "hex"),
      new_hash: Buffer.from(reorg.newHash.slice(2), "hex"),
      rows_removed: JSON.stringify(reorg.rowsRemoved),
      told_by: reorg.toldBy,
      confirmed_by: reorg.confirmedBy,
      channel: reorgsChannel(schema),
    }),
  );
}
