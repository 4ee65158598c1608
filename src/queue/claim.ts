import { type Statement, send } from "../db/exchange.js";
import type { Sql } from "../db/pool.js";
import { type ClaimedJob, claimedAt } from "./job.js";

// `id = any(array(...))`, since `update ... from candidate` plans as a hash join over the whole table.
// A job that saw a worker die is claimed alone: if it kills again, it takes no other job with it.
const claimOf = (candidates: string) => `
  with candidate as materialized (
    select id, deaths from processing_jobs
    where not exists (select from processing_control where paused_at is not null) and ${candidates}
    limit $2
    for update skip locked
  ),
  first as (select id, deaths from candidate limit 1)
  update processing_jobs
  set status = 'processing', worker_id = $1, attempts = attempts + 1, claims = claims + 1, started_at = clock_timestamp()
  where id = any (array(
    select candidate.id from candidate, first
    where candidate.id = first.id or (candidate.deaths = 0 and first.deaths = 0)
  ))
  returning id, block_number, priority, attempts, claims, ${claimedAt} as claimed_at, deaths,
    '0x' || encode(block_hash, 'hex') as block_hash`;

const ways = {
  claim: "queued and status = 'pending' order by priority desc, block_number",
  claim_behind: "queued and status = 'pending' and priority = $3 and block_number > $4 order by block_number",
  claim_within:
    "queued and status = 'pending' and block_number between $3 and $4 order by priority desc, block_number",
};

// Evaluated once, and true. The transaction that it is in commits without waiting for the disk.
const withoutTheDisk = "(select set_config('synchronous_commit', 'off', true)) is not null";

type Way = keyof typeof ways;

interface Row {
  id: number;
  block_number: number;
  priority: number;
  attempts: number;
  claims: number;
  claimed_at: number;
  deaths: number;
  block_hash: `0x${string}` | null;
}

/** A place in the order of claims. */
export interface Position {
  priority: number;
  blockNumber: number;
}

export interface ClaimOptions {
  workerId: string;
  /** At most so many jobs. */
  limit: number;
  /** Only jobs of the same priority behind this one, for a claim that goes on where the last one ended. */
  after?: Position | undefined;
  /** Only blocks from `from` to `to`, inclusive. */
  only?: { from: number; to: number } | undefined;
  /**
   * Whether to wait until the claim is on the disk. It may be false where the claim is a transaction of its
   * own: a crash of the server undoes it, and then the job is pending and the token holds for nobody. What
   * is committed with its rows is on the disk all the same, and the claim with it. True unless stated.
   */
  durable?: boolean;
}

/**
 * Claims up to `limit` pending jobs for a worker: the highest priority first, then the lowest block.
 * Jobs that another claim is just taking are passed over, not waited for. Each claim counts as an
 * attempt. The jobs come in the order of their blocks; none: there is nothing to do.
 */
export function claimJobs(sql: Sql, options: ClaimOptions): Promise<ClaimedJob[]> {
  return send(sql, claim(options));
}

/** The statement of `claimJobs`. */
export function claim(options: ClaimOptions): Statement<ClaimedJob[]> {
  const { workerId } = options;
  const toJob = (row: Row): ClaimedJob => ({
    token: { id: row.id, workerId, claim: row.claims, claimedAt: row.claimed_at },
    attempts: row.attempts,
    blockNumber: row.block_number,
    priority: row.priority,
    blockHash: row.block_hash,
    deaths: row.deaths,
  });
  return {
    query: queryOf(options),
    read: ({ rows }) => rows.map(toJob).sort((a, b) => a.blockNumber - b.blockNumber),
  };
}

function queryOf({ workerId, limit, after, only, durable: isDurable = true }: ClaimOptions) {
  const named = (name: Way, ...more: number[]) => ({
    name: isDurable ? name : `${name}_light`,
    text: claimOf(isDurable ? ways[name] : `${withoutTheDisk} and ${ways[name]}`),
    values: [workerId, limit, ...more],
  });
  if (only !== undefined) return named("claim_within", only.from, only.to);
  if (after !== undefined) return named("claim_behind", after.priority, after.blockNumber);
  return named("claim");
}
