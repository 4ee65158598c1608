// How long a recovery takes, read from the effects: by the database's clock, whenever the suite looks.

import { setTimeout as sleep } from "node:timers/promises";
import { recoveryLimitMs } from "./tally.js";
import { isAway, type World } from "./world.js";

/** A moment, and the last effect before it. */
export interface Mark {
  effect: number;
}

export async function mark(world: World): Promise<Mark> {
  const [row] = await world.ask<{ id: number }>(
    "select coalesce(max(id), 0)::float8 as id from chaos_effects",
  );
  return { effect: row?.id ?? 0 };
}

export interface Wanted {
  /** What to wait for: a claim, a completion, the end of a claim whatever ended it, a new job. */
  event: "claim" | "completion" | "release" | "asked";
  /** Of these jobs only. */
  jobs?: readonly number[];
  /** Made by a session of this process (its application_name) or of its children; or by any other. */
  by?: string;
  notBy?: string;
}

const conditions: Record<Wanted["event"], string> = {
  claim: "kind = 'job' and new_status = 'processing'",
  completion: "kind = 'job' and new_status = 'completed'",
  // A commit that was under way completes it, a reorg or a person takes it away: it is let go all the same.
  release: "old_status = 'processing' and new_status is distinct from 'processing'",
  asked: "kind = 'asked'",
};

const isOf = (process: string): string => `(who = ${process} or starts_with(who, ${process} || '/'))`;

/**
 * Milliseconds from `since` (by the database's clock) to the first such event after the mark, or with `last` to
 * the moment when each of `jobs` has had one. Undefined: not within 30 seconds. `moot`: before it happened, none of
 * the jobs was open any more: a person had taken them away, or a commit that was under way completed them.
 */
export async function timeTo(
  world: World,
  { effect }: Mark,
  { since, wanted, last = false }: { since: number; wanted: Wanted; last?: boolean },
): Promise<number | "moot" | undefined> {
  const { event, jobs, by, notBy } = wanted;
  const sql = `
    select extract(epoch from ${last ? "max" : "min"}(at))::float8 * 1000 as ms, count(*)::int as jobs from (
      select job_id, min(at) as at from chaos_effects
      where id > $1 and at >= to_timestamp($2::float8 / 1000) and ${conditions[event]}
        and ($3::bigint[] is null or job_id = any ($3))
        and ($4::text is null or ${isOf("$4")}) and ($5::text is null or not ${isOf("$5")})
        and (starts_with(who, 'blockmill ') or $6)
      group by job_id
    ) as firsts`;
  const values = [effect, since, jobs ?? null, by ?? null, notBy ?? null, event === "release"];
  const deadline = performance.now() + recoveryLimitMs;
  while (performance.now() < deadline) {
    try {
      const isMoot = jobs !== undefined && jobs.length > 0 && !(await isAnyOpen(world, jobs));
      const { rows } = await world.pool.query<{ ms: number | null; jobs: number }>(sql, values);
      const [row] = rows;
      const enough = last ? (row?.jobs ?? 0) >= (jobs?.length ?? 1) : (row?.jobs ?? 0) > 0;
      if (enough && row?.ms != null) return row.ms - since;
      if (isMoot) return "moot";
    } catch (error) {
      if (!isAway(error)) throw error;
    }
    await sleep(15);
  }
  return undefined;
}

async function isAnyOpen(world: World, jobs: readonly number[]): Promise<boolean> {
  const { rows } = await world.pool.query(
    "select from processing_jobs where id = any ($1) and status <> 'completed' limit 1",
    [jobs],
  );
  return rows.length > 0;
}

/** Waits for it, and writes it into the tally. */
export async function measure(
  world: World,
  from: Mark,
  options: { what: string; since: number; wanted: Wanted; last?: boolean },
): Promise<number | undefined> {
  const wasAlone = world.isAlone;
  const ms = await timeTo(world, from, options);
  if (ms === "moot") return undefined;
  world.tally.recovered(options.what, ms, wasAlone && world.isAlone);
  return ms;
}
