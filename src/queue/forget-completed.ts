import type { Tx } from "../db/pool.js";

// Waits for the commits that are under way, in the order of completion, and holds the rows: what those commits wrote,
// later statements of the transaction see.
const lock = `
  select from processing_jobs where block_number between $1 and $2 order by block_number for update`;

const forget = `
  delete from processing_jobs where block_number between $1 and $2 and status = 'completed'`;

/**
 * Takes the completed jobs of these blocks out of the queue, whose rows are about to be removed. Jobs that are not
 * completed stay, and nobody completes them before the transaction ends.
 */
export async function forgetCompleted(tx: Tx, { from, to }: { from: number; to: number }): Promise<void> {
  await tx.query(lock, [from, to]);
  await tx.query(forget, [from, to]);
}
