import type { Hex } from "../block.js";
import type { Sql } from "../db/pool.js";

/** The hashes of the stored blocks from `from` up, by number. */
export async function storedHashes(sql: Sql, from: number): Promise<Map<number, Hex>> {
  const { rows } = await sql.query<{ number: number; hash: Hex }>(
    "select number, '0x' || encode(hash, 'hex') as hash from blocks where number >= $1",
    [from],
  );
  return new Map(rows.map(({ number, hash }) => [number, hash]));
}

/** The stored blocks from $1 on, as rows (kind, number, hash, id). */
export const storedFromSql = `
  select 'stored' as kind, number, '0x' || encode(hash, 'hex') as hash, null::bigint as id
  from blocks where number >= $1`;

/** The newest stored blocks below `below`, at most `limit`, the newest first. */
export async function newestStored(
  sql: Sql,
  { below, limit }: { below: number; limit: number },
): Promise<{ number: number; hash: Hex }[]> {
  const { rows } = await sql.query<{ number: number; hash: Hex }>(
    `select number, '0x' || encode(hash, 'hex') as hash from blocks
     where number < $1 order by number desc limit $2`,
    [below, limit],
  );
  return rows;
}

/** The newest block that is stored; null: none is. */
export async function newestStoredNumber(sql: Sql): Promise<number | null> {
  const { rows } = await sql.query<{ number: number | null }>("select max(number) as number from blocks");
  return rows[0]?.number ?? null;
}
