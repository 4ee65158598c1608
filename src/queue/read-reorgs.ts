import type { Sql } from "../db/pool.js";

export interface PastReorg {
  detectedAt: Date;
  forkBlock: number;
  depth: number;
  oldHead: number;
  newHead: number;
  toldBy: string;
  confirmedBy: string;
}

/** The newest reorgs that were undone, at most `limit`. */
export async function readReorgs(sql: Sql, limit: number): Promise<PastReorg[]> {
  const { rows } = await sql.query<PastReorg>(
    `select detected_at as "detectedAt", fork_block as "forkBlock", depth, old_head as "oldHead", new_head as "newHead",
       told_by as "toldBy", confirmed_by as "confirmedBy"
     from reorgs order by detected_at desc limit $1`,
    [limit],
  );
  return rows;
}
