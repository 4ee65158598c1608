import { lockWaitSql } from "../../db/lock-waits.js";
import { namedParameters } from "../../db/named-parameters.js";
import type { Sql } from "../../db/pool.js";
import { unsettledSql } from "../../queue/alerts.js";
import { failingHeadsSql } from "../../queue/failing-heads.js";
import { statuses } from "../../queue/job-status.js";
import type { Look } from "./seen.js";

/** Jobs that wait are counted up to so many. */
export const mostWaiting = 20_000;
/** ... and those that failed. */
export const mostFailed = 1_000;
/** Claims stand at the beginning of the claim index: so many of its entries are looked at. */
const mostClaims = 2_000;
/** Failures and completions that one look counts. */
const mostCounted = 20_000;
/** A supervisor writes its processes' rows every ten seconds, and is swept away soon after it is lost. */
const processSeconds = 30;
const mostProcesses = 500;

const row = (select: string): string => `(select row_to_json(one) from (${select}) as one)`;
const list = (select: string): string => `(select coalesce(json_agg(one), '[]') from (${select}) as one)`;
const isHalted = "not queued and completed_at is null and due_at is null";

// One statement, since it is sent every two seconds for ever: each part reads an index up to a bound.
const look = namedParameters<{
  lock_ms: number;
  completed_since: number;
  failed_since: number | null;
  window_seconds: number;
}>(
  `select
    extract(epoch from clock_timestamp())::float8 as now,
    (select paused_at is not null from processing_control) as "isPaused",
    coalesce((select next_block is not null from processing_head), false) as follows,
    (select count(*)::int from (
       select from processing_jobs where queued and status = ${statuses.pending} limit ${mostWaiting}
     ) as one) as waiting,
    (select extract(epoch from clock_timestamp() - min(since) filter (where isfinite(since)))::float8 from (
       select greatest(created_at, run_at) as since from processing_jobs
       where queued and status = ${statuses.pending} order by priority desc, block_number limit 100
     ) as one) as "waitingSeconds",
    exists (select from processing_ranges where enqueued_at is null and cancelled_at is null) as "isRangeOpen",
    (select count(*) filter (where status = ${statuses.failed})::int from (
       select status from processing_jobs where ${isHalted} limit ${mostFailed}
     ) as one) as failed,
    ${row(`
      select block_number as block, worker_id as worker,
        extract(epoch from clock_timestamp() - started_at)::float8 as seconds
      from (
        select block_number, worker_id, started_at, status from processing_jobs
        where queued order by priority desc, block_number limit ${mostClaims}
      ) as next
      where status = ${statuses.processing} and isfinite(started_at) order by started_at limit 1`)} as "oldestClaim",
    (select count(*)::int from (
       select from processing_jobs where completed_at > to_timestamp(:completed_since) limit ${mostCounted}
     ) as one) as completed,
    (select extract(epoch from max(completed_at))::float8 from processing_jobs
     where completed_at > '-infinity' and completed_at < 'infinity') as "lastCompletedAt",
    (select coalesce(json_object_agg(class, count), '{}') from (
       select class, count(*)::int from (
         select class from processing_failures
         where id > coalesce(:failed_since, (select max(id) - ${mostCounted} from processing_failures))
           and (:failed_since::bigint is not null or failed_at > clock_timestamp() - :window_seconds * interval '1 second')
         order by id desc limit ${mostCounted}
       ) as newest group by class
     ) as one) as failures,
    coalesce((select max(id) from processing_failures), 0) as "lastFailure",
    ${row(`
      select head_number as number, chain_id as "chainId", extract(epoch from head_time)::float8 as time,
        extract(epoch from clock_timestamp() - head_time)::float8 as "ageSeconds",
        extract(epoch from clock_timestamp() - seen_at)::float8 as "seenAgeSeconds"
      from processing_head where isfinite(seen_at) and isfinite(head_time)`)} as head,
    ${row(`
      select number, extract(epoch from clock_timestamp() - timestamp)::float8 as "ageSeconds"
      from blocks order by number desc limit 1`)} as newest,
    ${list(failingHeadsSql)} as "failingHeads",
    ${list(`
      select worker_id as "workerId", supervisor_id as "supervisorId", role, state, hostname, version, doing
      from processing_workers where seen_at > clock_timestamp() - ${processSeconds} * interval '1 second'
      limit ${mostProcesses}`)} as processes,
    ${row(lockWaitSql(":lock_ms"))} as "lockWait",
    (${unsettledSql}) as alerts`,
  "look_for_alerts",
);

export interface LookOptions {
  /** Waits for locks that are shorter are left out. */
  lockMs: number;
  /** Completions after this time, and failures after this one, are counted; null: those of the last `windowSeconds`. */
  completedSince: number;
  failedSince: number | null;
  windowSeconds: number;
}

/** Reads what the rules look at: one bounded statement. */
export async function lookForAlerts(
  sql: Sql,
  { lockMs, completedSince, failedSince, windowSeconds }: LookOptions,
): Promise<Look> {
  const { rows } = await sql.query<Look>(
    look({
      lock_ms: lockMs,
      completed_since: completedSince,
      failed_since: failedSince,
      window_seconds: windowSeconds,
    }),
  );
  const [found] = rows;
  if (found === undefined) throw new Error("a select without from returned no row");
  return found;
}
