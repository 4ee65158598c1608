// Locks that people take, and forget.

import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../support/process.js";
import { measure } from "../recovery.js";
import type { Scenario } from "../scenario.js";
import { isAway, type World } from "../world.js";

const tables = ["processing_jobs", "processing_coverage", "blocks", "logs"];

export const lockedTable: Scenario = {
  name: "locked-table",
  about: "a person locks a whole table for some seconds",
  takes: ["locks"],
  weight: 2,
  async inject(world, random) {
    const table = random.chance(0.6) ? "processing_jobs" : random.pick(tables);
    await ignoringAway(() =>
      world.asPerson(async (person) => {
        await person.query("begin");
        await person.query(`lock table ${table} in access exclusive mode`);
        world.tally.fault(`${table} locked`);
        await sleep(500 + random.below(2_500));
        const from = { effect: await lastEffect(person) };
        await person.query("commit");
        await measure(world, from, {
          what: "a person's lock released, to the next claim",
          since: world.clock(),
          wanted: { event: "claim" },
        });
      }),
    );
  },
};

async function lastEffect(person: {
  query(sql: string): Promise<{ rows: { id: number }[] }>;
}): Promise<number> {
  const { rows } = await person.query("select coalesce(max(id), 0)::float8 as id from chaos_effects");
  return rows[0]?.id ?? 0;
}

export const openTransaction: Scenario = {
  name: "open-transaction",
  about: "a snapshot is held open while the queue turns over, so that vacuum can remove nothing",
  takes: [],
  weight: 1,
  inject: (world, random) =>
    ignoringAway(() =>
      world.asPerson(async (person) => {
        await person.query("begin isolation level repeatable read");
        await person.query("select count(*) from processing_jobs");
        world.tally.fault("old snapshot held");
        await sleep(3_000 + random.below(7_000));
        await person.query("commit");
      }),
    ),
};

export const deadlock: Scenario = {
  name: "deadlock",
  about: "a person locks a worker's jobs from the wrong end, so that one of the two must give way",
  takes: ["locks"],
  weight: 2,
  inject: (world) =>
    ignoringAway(() =>
      world.asPerson(async (person) => {
        const held = async (): Promise<number[] | undefined> => {
          const { rows } = await person.query<{ ids: number[] }>(
            `select array_agg(id::float8 order by id) as ids from processing_jobs
             where status = 'processing' group by worker_id having count(*) > 1 order by count(*) desc limit 1`,
          );
          return rows[0]?.ids;
        };
        const ids = await waitFor(held, { what: "a batch", timeoutMs: 4_000 }).catch(() => undefined);
        if (ids === undefined) return;
        await person.query("begin");
        await person.query("select from processing_jobs where id = $1 for update", [ids.at(-1)]);
        if (!(await blocksSomebody(world, person))) return;
        world.tally.fault("deadlock");
        // Either this session is the victim, or the worker's is.
        await person.query("select from processing_jobs where id = $1 for update", [ids[0]]).catch(() => {});
        await person.query("rollback");
      }),
    ),
};

/** Whether somebody waits for a lock of this session within a second. */
async function blocksSomebody(
  world: World,
  person: { query(sql: string): Promise<{ rows: { pid: number }[] }> },
): Promise<boolean> {
  const { rows } = await person.query("select pg_backend_pid() as pid");
  for (let look = 0; look < 50; look += 1) {
    const waiting = await world.ask(
      "select from pg_stat_activity where $1 = any (pg_blocking_pids(pid)) and application_name like 'blockmill %'",
      [rows[0]?.pid],
    );
    if (waiting.length > 0) return true;
    await sleep(20);
  }
  return false;
}

/** The server may go away under a person, too; then the locks are gone with it. */
export async function ignoringAway(work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!isAway(error) && !/not queryable|was closed/i.test(String(error))) throw error;
  });
}
