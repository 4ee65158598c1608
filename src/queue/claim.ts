import type { BlockSpan } from "../block.js";
import { type Statement, send } from "../db/exchange.js";
import type { Sql } from "../db/pool.js";
import type { ClaimedJob } from "./job.js";
import { statuses } from "./job-status.js";

/** More than anybody claims at once. Stated in the statement, so that its plan is one for a few jobs of many. */
const mostJobs = 1_000;

/** Counters end at the largest int, 2^31 - 1, and stay there: a job that has such a number is claimed like any other. */
const beforeMost = 2_147_483_646;

const claimed = `status = ${statuses.processing}, worker_id = $1, attempts = least(attempts, ${beforeMost}) + 1,
      claims = least(claims, ${beforeMost}) + 1, started_at = (select clock_timestamp())`;

/** Above 0: the job is claimed alone. */
const seenDeaths = "greatest(deaths, losses / 3)";
// Milliseconds since 1970. As numbers, which know infinity: no two times are subtracted, which some cannot be.
const dueAt = "(extract(epoch from greatest(created_at, run_at)) * 1000)::float8";

// `block_number = any(array(...))`, since `update ... from candidate` plans as a hash join over the whole table.
// A job that saw a worker die is claimed alone: if it kills again, it takes no other job with it. So is one that was in
// hand at three deaths of which nobody knows the cause.
// The jobs of a claim have one `started_at`. They come in one row, a list for each column: read as rows of eight
// columns they cost this process and the server a fifth of what the whole queue costs for a job that does nothing.
const claimOf = (candidates: string) => `
  with candidate as materialized (
    select block_number, deaths from (
      select block_number, ${seenDeaths} as deaths from processing_jobs
      where not exists (select from processing_control where paused_at is not null) and ${candidates}
      limit ${mostJobs}
      for update skip locked
    ) as next
    limit $2
  ),
  first as (select block_number, deaths from candidate limit 1),
  claimed as (
    update processing_jobs
    set ${claimed}
    where block_number = any (array(
      select candidate.block_number from candidate, first
      where candidate.block_number = first.block_number or (candidate.deaths = 0 and first.deaths = 0)
    ))
    returning id, block_number, priority, attempts, claims, started_at, ${seenDeaths} as deaths, block_hash, ${dueAt} as due
  )
  select (extract(epoch from min(started_at)) * 1000000)::bigint as claimed_at,
    json_agg(id) as ids, json_agg(block_number) as block_numbers, json_agg(priority) as priorities,
    json_agg(attempts) as attempts, json_agg(claims) as claims, json_agg(deaths) as deaths,
    json_agg('0x' || encode(block_hash, 'hex')) as block_hashes, json_agg(due) as due
  from claimed`;

// The same where $2 is 1, as at the head of the chain: less than `claimOf` for the server to do, while somebody waits.
const claimOneOf = (candidates: string) => `
  update processing_jobs
  set ${claimed}
  where block_number = (
    select block_number from processing_jobs
    where $2::int = 1 and not exists (select from processing_control where paused_at is not null) and ${candidates}
    limit 1
    for update skip locked
  )
  returning (extract(epoch from started_at) * 1000000)::bigint as claimed_at,
    json_build_array(id) as ids, json_build_array(block_number) as block_numbers, json_build_array(priority) as priorities,
    json_build_array(attempts) as attempts, json_build_array(claims) as claims, json_build_array(${seenDeaths}) as deaths,
    json_build_array('0x' || encode(block_hash, 'hex')) as block_hashes, json_build_array(${dueAt}) as due`;

// Evaluated once, and true. The transaction that it is in commits without waiting for the disk.
const withoutTheDisk = "(select set_config('synchronous_commit', 'off', true)) is not null";

const isPending = `queued and status = ${statuses.pending}`;

/** Built once, each with its name: a text that is the same string is not compared again with what was prepared. */
const statements = {
  first: statementsOf("claim", `${isPending} order by priority desc, block_number`),
  behind: statementsOf(
    "claim_behind",
    `${isPending} and priority = $3 and block_number > $4 order by block_number`,
  ),
  within: statementsOf(
    "claim_within",
    `${isPending} and block_number between $3 and $4 order by priority desc, block_number`,
  ),
};

function statementsOf(name: string, candidates: string) {
  const light = `${withoutTheDisk} and ${candidates}`;
  return {
    durable: {
      many: { name, text: claimOf(candidates) },
      one: { name: `${name}_one`, text: claimOneOf(candidates) },
    },
    light: {
      many: { name: `${name}_light`, text: claimOf(light) },
      one: { name: `${name}_one_light`, text: claimOneOf(light) },
    },
  };
}

/** Lists of one length, whose order is the same; null: nothing was claimed. */
interface Lists {
  ids: number[] | null;
  block_numbers: number[];
  priorities: number[];
  attempts: number[];
  claims: number[];
  claimed_at: number;
  deaths: number[];
  block_hashes: (`0x${string}` | null)[];
  /** JSON has no infinity: PostgreSQL writes it as text. */
  due: (number | string)[];
}

/** A place in the order of claims. */
export interface Position {
  priority: number;
  blockNumber: number;
}

export interface ClaimOptions {
  workerId: string;
  /** At most so many jobs, and never more than 1,000. */
  limit: number;
  /** Only jobs of the same priority behind this one, for a claim that goes on where the last one ended. */
  after?: Position | undefined;
  /** Only these blocks. */
  only?: BlockSpan | undefined;
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
  return {
    query: queryOf(options),
    read: ({ rows }) => toJobs(rows[0], options.workerId),
  };
}

function toJobs(lists: Lists | undefined, workerId: string): ClaimedJob[] {
  if (lists === undefined) return [];
  const jobs = (lists.ids ?? []).map((id, i): ClaimedJob => {
    const blockNumber = lists.block_numbers[i] as number;
    if (!Number.isSafeInteger(blockNumber)) throw new RangeError(`block ${blockNumber} is beyond 2^53`);
    return {
      token: { id, blockNumber, workerId, claim: lists.claims[i] as number, claimedAt: lists.claimed_at },
      attempts: lists.attempts[i] as number,
      blockNumber,
      priority: lists.priorities[i] as number,
      blockHash: lists.block_hashes[i] as `0x${string}` | null,
      deaths: lists.deaths[i] as number,
      waitedMs: waitedMs(lists.claimed_at / 1_000 - Number(lists.due[i])),
    };
  });
  return jobs.sort((a, b) => a.blockNumber - b.blockNumber);
}

/** Not below 0: clocks of rows are set by whoever writes them. */
function waitedMs(ms: number): number | null {
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

function queryOf({ workerId, limit, after, only, durable: isDurable = true }: ClaimOptions) {
  const named = (place: keyof typeof statements, ...more: number[]) => ({
    ...statements[place][isDurable ? "durable" : "light"][limit === 1 ? "one" : "many"],
    values: [workerId, limit, ...more],
  });
  if (only !== undefined) return named("within", only.from, only.to);
  if (after !== undefined) return named("behind", after.priority, after.blockNumber);
  return named("first");
}
