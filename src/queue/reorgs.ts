import type { Hex } from "../block.js";
import type { Sql, Tx } from "../db/pool.js";

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

export type AlertKind = "reorg_too_deep" | "old_transaction";

/** Raises an alert; one of its kind that is open keeps its time and gets the new message. */
export async function raiseAlert(sql: Sql, kind: AlertKind, message: string): Promise<void> {
  await sql.query(
    `insert into alerts (kind, message) values ($1, $2)
     on conflict (kind) where cleared_at is null do update set message = excluded.message`,
    [kind, message],
  );
}

/** Clears the alert of a kind, if one is open. */
export async function clearAlert(sql: Sql, kind: AlertKind): Promise<void> {
  await sql.query("update alerts set cleared_at = clock_timestamp() where kind = $1 and cleared_at is null", [
    kind,
  ]);
}
