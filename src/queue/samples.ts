import type { Sql } from "../db/pool.js";
import { statuses } from "./job-status.js";

/** How work went within `step` seconds. */
export interface Sample {
  /** When they began, in seconds since 1970. */
  at: number;
  blocks: number;
  /** Blocks by endpoint. */
  endpoints: Record<string, number>;
  /** Seconds from job to commit of the head's blocks; null: there was none. */
  headP50: number | null;
  headP99: number | null;
  waiting: number;
  waitingSeconds: number;
  /** Seconds of all blocks together, by stage. */
  stages: Record<string, number>;
}

/** Seconds of a sample, and for how long it is kept: a little longer than a chart shows. */
export const sampleSteps = [
  { step: 10, keptSeconds: 20 * 60 },
  { step: 60, keptSeconds: 7 * 3_600 },
  { step: 900, keptSeconds: 8 * 86_400 },
] as const;

/** Completions that one sample reads. More than these are taken to have gone like the newest of them. */
const mostRead = 5_000;
const mostWaiting = 20_000;
const marksKept = 500;

const [shortest, ...longer] = sampleSteps;

/** Out of a shorter step's rows: those of every longer one that is over and is not there yet. */
const rolledUp = (step: number, from: number): string => `
  insert into processing_samples
  select ${step}, total.at, blocks, coalesce(of_endpoints.all, '{}'), head_blocks, head_p50, head_p99, waiting, waiting_seconds,
    coalesce(of_stages.all, '{}')
  from (
    select date_bin('${step} seconds', at, 'epoch') as at, sum(blocks)::int as blocks, sum(head_blocks)::int as head_blocks,
      (sum(head_p50 * head_blocks) / nullif(sum(head_blocks), 0))::real as head_p50, max(head_p99) as head_p99,
      max(waiting) as waiting, max(waiting_seconds) as waiting_seconds
    from processing_samples
    where step = ${from} and at < (select date_bin('${step} seconds', at - interval '${from === shortest.step ? 0 : from} seconds', 'epoch') from bucket)
      and at >= coalesce((select max(at) + interval '${step} seconds' from processing_samples where step = ${step}), '-infinity')
    group by 1
  ) as total
  cross join lateral (
    select jsonb_object_agg(key, sum) as all from (
      select key, sum(value::bigint) from processing_samples as part, jsonb_each_text(part.endpoints)
      where part.step = ${from} and part.at >= total.at and part.at < total.at + interval '${step} seconds' group by key
    ) as one
  ) as of_endpoints
  cross join lateral (
    select jsonb_object_agg(key, sum) as all from (
      select key, sum(value::float8) from processing_samples as part, jsonb_each_text(part.stages)
      where part.step = ${from} and part.at >= total.at and part.at < total.at + interval '${step} seconds' group by key
    ) as one
  ) as of_stages
  on conflict do nothing`;

// One statement every ten seconds, for ever: each part reads an index up to a bound. A row that it writes is not to be seen
// by its other parts: a longer step is written with the next sample after its end.
const take = `
  with bucket as (
    select date_bin('${shortest.step} seconds', now(), 'epoch') - interval '${shortest.step} seconds' as at
  ),
  done as (
    select completed_at, block_hash is not null as of_head, coalesce(result ->> 'endpoint', '') as endpoint,
      extract(epoch from completed_at - greatest(created_at, run_at))::float8 as seconds,
      greatest(0, extract(epoch from started_at - greatest(created_at, run_at)))::float8 as queue_s,
      extract(epoch from completed_at - started_at)::float8 as claimed,
      case when jsonb_typeof(result -> 'fetch_ms') = 'number' then (result ->> 'fetch_ms')::float8 / 1000 else 0 end as fetch_s,
      case when jsonb_typeof(result -> 'verify_ms') = 'number' then (result ->> 'verify_ms')::float8 / 1000 else 0 end as verify_s,
      case when jsonb_typeof(result -> 'encode_ms') = 'number' then (result ->> 'encode_ms')::float8 / 1000 else 0 end as encode_s
    from processing_jobs
    where completed_at >= (select at from bucket)
      and completed_at < (select at + interval '${shortest.step} seconds' from bucket)
      and isfinite(created_at) and isfinite(run_at) and isfinite(started_at)
    order by completed_at desc limit ${mostRead}
  ),
  scale as (
    select case when count(*) < ${mostRead} then 1 else
      ${shortest.step} / greatest(0.1, extract(epoch from (select at from bucket) + interval '${shortest.step} seconds' - min(completed_at))) end
      ::float8 as times
    from done
  ),
  sampled as (
    insert into processing_samples
    select ${shortest.step}, bucket.at,
      (select round(count(*) * scale.times)::int from done),
      (select coalesce(jsonb_object_agg(endpoint, round(blocks * scale.times)), '{}')
       from (select endpoint, count(*) as blocks from done group by 1) as one),
      (select round(count(*) filter (where of_head) * scale.times)::int from done),
      (select percentile_cont(0.5) within group (order by seconds) filter (where of_head)::real from done),
      (select percentile_cont(0.99) within group (order by seconds) filter (where of_head)::real from done),
      (select count(*)::int from (
         select from processing_jobs where queued and status = ${statuses.pending} limit ${mostWaiting}
       ) as one),
      (select coalesce(max(greatest(0, extract(epoch from now() - since))) filter (where isfinite(since)), 0)::real from (
         select greatest(created_at, run_at) as since from processing_jobs
         where queued and status = ${statuses.pending} order by priority desc, block_number limit 100
       ) as one),
      (select case when count(*) = 0 then '{}' else jsonb_build_object(
         'queue', sum(queue_s) * scale.times, 'fetch', sum(fetch_s) * scale.times, 'verify', sum(verify_s) * scale.times,
         'encode', sum(encode_s) * scale.times, 'commit', sum(greatest(0, claimed - fetch_s - verify_s - encode_s)) * scale.times) end
       from done)
    from bucket, scale
    on conflict do nothing
  ),
  ${longer.map(({ step }, i) => `rolled_${step} as (${rolledUp(step, sampleSteps[i]?.step ?? 0)}),`).join("\n  ")}
  trimmed as (
    delete from processing_samples
    where ${sampleSteps.map(({ step, keptSeconds }) => `step = ${step} and at < now() - interval '${keptSeconds} seconds'`).join("\n      or ")}
  ),
  unmarked as (
    delete from processing_marks
    where id <= (select id from processing_marks order by id desc offset ${marksKept} limit 1)
  )
  select extract(epoch from at + interval '${2 * shortest.step} seconds' - now())::float8 * 1000 as "nextInMs" from bucket`;

/** Writes how the last ten seconds went, if nobody did. Returns after how many milliseconds the next are over. */
export async function takeSample(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ nextInMs: number }>({ name: "take_sample", text: take, values: [] });
  return Math.max(1, rows[0]?.nextInMs ?? shortest.step * 1_000);
}

/** The samples of a step within the last so many seconds, the oldest first. */
export async function readSamples(
  sql: Sql,
  { step, withinSeconds }: { step: number; withinSeconds: number },
): Promise<Sample[]> {
  const { rows } = await sql.query<Sample>(
    `select extract(epoch from at)::float8 as at, blocks, endpoints, head_p50 as "headP50", head_p99 as "headP99",
       waiting, waiting_seconds as "waitingSeconds", stages
     from processing_samples
     where step = $1 and at > clock_timestamp() - $2 * interval '1 second' order by at`,
    [step, withinSeconds],
  );
  return rows;
}
