import type { Sql } from "../db/pool.js";

export interface NewestBlock {
  number: number;
  /** The block's own time. */
  timestamp: Date;
}

/** The highest block that is stored, or null if none is. */
export async function readNewestBlock(client: Sql): Promise<NewestBlock | null> {
  const { rows } = await client.query<NewestBlock>(
    "select number, timestamp from blocks order by number desc limit 1",
  );
  return rows[0] ?? null;
}
