/** A block that could not be stored because it contradicts a stored neighbour. */
export interface Doubt {
  /** Of the failure; later ones have higher numbers. */
  id: number;
  blockNumber: number;
}

/** The doubts that came after the one numbered $2, as rows (kind, number, hash, id). */
export const doubtsSql = `
  select 'doubt' as kind, block_number as number, null as hash, id
  from processing_failures where id > $2 and class = 'unlinked'`;
