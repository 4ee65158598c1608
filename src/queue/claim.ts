import type { Sql } from "../db/pool.js";
import type { ClaimedJob } from "./job.js";

// `id = any(array(...))`, since `update ... from candidate` plans as a hash join over the whole table.
// A job that saw a worker die is claimed alone: if it kills again, it takes no other job with it.
const claimed = `
  update processing_jobs
  set status = 'processing', worker_id = $1, attempts = attempts + 1, started_at = clock_timestamp()
  where id = any (array(
    select candidate.id from candidate, first
    where candidate.id = first.id or (candidate.deaths = 0 and first.deaths = 0)
  ))
  returning id, block_number, attempts, deaths, '0x' || encode(block_hash, 'hex') as block_hash`;

const anyBlock = `
  with candidate as materialized (
    select id, deaths from processing_jobs
    where queued and status = 'pending'
    order by priority desc, block_number
    limit $2
    for update skip locked
  ),
  first as (select id, deaths from candidate limit 1)
  ${claimed}`;

const withinRange = `
  with candidate as materialized (
    select id, deaths from processing_jobs
    where status = 'pending' and block_number between $3 and $4
    order by block_number
    limit $2
    for update skip locked
  ),
  first as (select id, deaths from candidate limit 1)
  ${claimed}`;

interface Row {
  id: number;
  block_number: number;
  attempts: number;
  deaths: number;
  block_hash: `0x${string}` | null;
}

export interface ClaimOptions {
  workerId: string;
  /** At most so many jobs. */
  limit: number;
  /** Only blocks from `from` to `to`, inclusive. */
  only?: { from: number; to: number } | undefined;
}

/**
 * Claims up to `limit` pending jobs for a worker: the highest priority first, then the lowest block.
 * Jobs that another claim is just taking are passed over, not waited for. Each claim counts as an
 * attempt. The jobs come in the order of their blocks; none: there is nothing to do.
 */
export async function claimJobs(sql: Sql, { workerId, limit, only }: ClaimOptions): Promise<ClaimedJob[]> {
  const { rows } =
    only === undefined
      ? await sql.query<Row>({ name: "claim", text: anyBlock, values: [workerId, limit] })
      : await sql.query<Row>({
          name: "claim_within",
          text: withinRange,
          values: [workerId, limit, only.from, only.to],
        });
  return rows
    .map((row) => ({
      token: { id: row.id, workerId, attempts: row.attempts },
      blockNumber: row.block_number,
      blockHash: row.block_hash,
      deaths: row.deaths,
    }))
    .sort((a, b) => a.blockNumber - b.blockNumber);
}
