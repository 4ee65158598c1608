import type pg from "pg";

/** The first blocks of the partitions that each of the chain's tables has, in order; asserted to be the same for all five. */
export async function partitionsOf(pool: pg.Pool): Promise<number[]> {
  const { rows } = await pool.query<{ table: string; parts: string[] }>(
    `select parent.relname as table, array_agg(part.relname::text order by part.relname) as parts
     from pg_inherits join pg_class as parent on parent.oid = inhparent join pg_class as part on part.oid = inhrelid
     where parent.relname in ('blocks', 'transactions', 'logs', 'withdrawals', 'token_transfers')
     group by 1`,
  );
  const firsts = rows.map(({ table, parts }) =>
    parts.map((part) => Number(part.slice(table.length + 1))).sort((a, b) => a - b),
  );
  const [first = []] = firsts;
  if (firsts.some((each) => each.join() !== first.join()) || (firsts.length !== 0 && firsts.length !== 5))
    throw new Error(`the tables' partitions differ: ${JSON.stringify(rows)}`);
  return first;
}
