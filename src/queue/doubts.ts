import type { Sql } from "../db/pool.js";

/** A block that could not be stored because it contradicts a stored neighbour. */
export interface Doubt {
  /** Of the failure; later ones have higher numbers. */
  id: number;
  blockNumber: number;
}

/** The doubts that came after the one numbered `after`. */
export async function doubtsAfter(sql: Sql, after: number): Promise<Doubt[]> {
  const { rows } = await sql.query<{ id: number; block_number: number }>({
    name: "doubts",
    text: "select id, block_number from processing_failures where id > $1 and class = 'unlinked'",
    values: [after],
  });
  return rows.map(({ id, block_number: blockNumber }) => ({ id, blockNumber }));
}
