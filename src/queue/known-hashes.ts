import type { Hex } from "../block.js";
import type { Sql } from "../db/pool.js";

/** The hashes that jobs ask for at `from` and above, of jobs that are not cancelled, by block number. */
export async function wantedHashes(sql: Sql, from: number): Promise<Map<number, Hex>> {
  const { rows } = await sql.query<{ block_number: number; hash: Hex }>(
    `select block_number, '0x' || encode(block_hash, 'hex') as hash from processing_jobs
     where block_number >= $1 and block_hash is not null and status <> 'cancelled'`,
    [from],
  );
  return new Map(rows.map(({ block_number: number, hash }) => [number, hash]));
}
