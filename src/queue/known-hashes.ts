import type { Hex } from "../block.js";
import type { Sql } from "../db/pool.js";
import { saysAbsent } from "./absent.js";
import { statuses } from "./job-status.js";

// Blockmill asks by hash for blocks up to the head that it followed. A hash beyond it is somebody's own: as the top of
// an old branch it would make a reorg look deeper than any.
const isFollowed = "block_number <= coalesce((select head_number from processing_head), 9007199254740990)";

/** The hashes that jobs ask for at `from` and above, of jobs that are not cancelled, by block number. */
export async function wantedHashes(sql: Sql, from: number): Promise<Map<number, Hex>> {
  const { rows } = await sql.query<{ block_number: number; hash: Hex }>(
    `select block_number, '0x' || encode(block_hash, 'hex') as hash from processing_jobs
     where block_number >= $1 and block_hash is not null and status <> ${statuses.cancelled} and ${isFollowed}`,
    [from],
  );
  return new Map(rows.map(({ block_number: number, hash }) => [number, hash]));
}

/** The newest block that a job asks for by its hash; null: none does. */
export async function newestWanted(sql: Sql): Promise<number | null> {
  const { rows } = await sql.query<{ block_number: number }>(
    `select block_number from processing_jobs
     where block_hash is not null and status <> ${statuses.cancelled} and ${isFollowed} order by block_number desc limit 1`,
  );
  return rows[0]?.block_number ?? null;
}

/**
 * What jobs know of the blocks from $1 on, as rows (kind, number, hash, id): those that ask for a hash
 * (`wanted`), those that are just being fetched by their number, of whatever branch (`claimed`), those
 * that wait for the branch to reach their height (`suspended`), and numbers without a block (`absent`).
 */
export const jobsFromSql = `
  select case when block_hash is not null then 'wanted' when status = ${statuses.processing} then 'claimed'
      when status = ${statuses.completed} then 'absent' else 'suspended' end as kind,
    block_number as number, '0x' || encode(block_hash, 'hex') as hash, null::bigint as id
  from processing_jobs
  where block_number >= $1 and case when block_hash is not null then status <> ${statuses.cancelled} and ${isFollowed}
    else status = ${statuses.processing} or (status = ${statuses.scheduled} and suspended)
      or (status = ${statuses.completed} and ${saysAbsent}) end
  union all
  select 'absent', number, null, null
  from processing_coverage, unnest(absent * blocks * int8multirange(int8range($1, null))) as span,
    generate_series(lower(span), upper(span) - 1) as number`;

// Claims in flight lose their token, as in requeue-above.ts.
const unpin = `
  update processing_jobs
  set block_hash = null, attempts = 0, last_error = null,
      status = case when status = ${statuses.scheduled} and not suspended then status else ${statuses.pending} end,
      run_at = case when status = ${statuses.scheduled} and not suspended then run_at else now() end,
      suspended = false
  where block_number = any (array(
    select block_number from processing_jobs
    where block_number < $1 and status in (${statuses.pending}, ${statuses.scheduled}, ${statuses.processing}, ${statuses.failed})
      and (block_hash is not null or suspended or (status = ${statuses.processing} and block_number >= $2))
    order by block_number for update
  ))`;

/**
 * Lets jobs below a number that are not done fetch whatever is canonical by now: the hash that they ask
 * for may be of a branch that was dropped while nobody followed the chain. So may be what is just being
 * fetched by its number, from `claimsFrom` on. Returns how many there were.
 */
export async function unpinBelow(
  sql: Sql,
  { below, claimsFrom }: { below: number; claimsFrom: number },
): Promise<number> {
  const { rowCount } = await sql.query(unpin, [below, claimsFrom]);
  return rowCount ?? 0;
}
