// What people do to the tables by hand, at the worst moment.

import type { Client } from "pg";
import type { Random } from "../../../bench/fixture-node/random.js";
import { waitFor } from "../../support/process.js";
import { builtProgramEnded } from "../program.js";
import type { Scenario } from "../scenario.js";
import type { World } from "../world.js";
import { ignoringAway } from "./locks.js";

interface Deed {
  what: string;
  do(person: Client, random: Random, world: World): Promise<unknown>;
}

const deeds: readonly Deed[] = [
  {
    what: "status set back to pending while processing",
    do: (person) =>
      person.query(
        `update processing_jobs set status = 'pending' where id in
           (select id from processing_jobs where status = 'processing' order by random() limit 5)`,
      ),
  },
  {
    what: "completed blocks asked for again by an update",
    do: (person) =>
      person.query(
        `update processing_jobs set status = 'pending' where id in
           (select id from processing_jobs where status = 'completed' order by random() limit 5)`,
      ),
  },
  {
    what: "a job deleted while processing, and inserted again",
    async do(person, _random, world) {
      const { rows } = await person.query<{ block_number: string }>(
        `select block_number from processing_jobs where status in ('processing', 'pending') and run_at <> 'infinity'
         order by status desc, random() limit 3`,
      );
      const blocks = rows.map(({ block_number }) => block_number);
      try {
        await person.query(
          "delete from processing_jobs where block_number = any ($1) and status in ('processing', 'pending')",
          [blocks],
        );
      } finally {
        await insertAgain(world, blocks);
      }
    },
  },
  {
    what: "rows deleted by hand, and the block asked for again",
    do: (person) =>
      damageAndAsk(person, [
        "delete from logs where block_number = $1",
        "delete from transactions where block_number = $1",
      ]),
  },
  {
    what: "values changed by hand, and the block asked for again",
    do: (person) =>
      damageAndAsk(person, ["update transactions set value = value + 1 where block_number = $1"]),
  },
  {
    what: "negative number inserted",
    do: (person, random) =>
      refused(person, `insert into processing_jobs (block_number) values (-${1 + random.below(9)})`),
  },
  {
    what: "unknown status set",
    do: (person) =>
      refused(
        person,
        "update processing_jobs set status = 'done' where id = (select max(id) from processing_jobs)",
      ),
  },
  {
    what: "claim without an owner made up",
    do: (person) =>
      refused(
        person,
        `update processing_jobs set status = 'processing', worker_id = null
         where id = (select max(id) from processing_jobs)`,
      ),
  },
  {
    what: "thousands of known blocks inserted at once",
    do: (person) =>
      person.query(
        `insert into processing_jobs (block_number)
         select block_number from processing_jobs
         union select number from blocks where number in (select block_number from processing_jobs)
         on conflict do nothing`,
      ),
  },
  {
    what: "priorities turned upside down",
    do: (person) =>
      person.query(
        "update processing_jobs set priority = -priority where status in ('pending', 'scheduled')",
      ),
  },
  {
    what: "jobs cancelled, then run again",
    async do(person) {
      const { rows } = await person.query<{ id: string }>(
        `update processing_jobs set status = 'cancelled' where id in
           (select id from processing_jobs where status in ('pending', 'processing') and run_at <> 'infinity'
            order by random() limit 4) returning id`,
      );
      await person.query(
        "update processing_jobs set status = 'pending', run_at = now() where id = any ($1) and status = 'cancelled'",
        [rows.map(({ id }) => id)],
      );
    },
  },
  {
    what: "the queue truncated, and all of it asked for again",
    async do(person) {
      await person.query("begin");
      await person.query("lock table processing_jobs in access exclusive mode");
      await person.query(
        "create temporary table there on commit drop as select block_number, run_at from processing_jobs",
      );
      await person.query("truncate processing_jobs");
      await person.query(
        "insert into processing_jobs (block_number, run_at) select block_number, run_at from there",
      );
      await person.query("commit");
    },
  },
  {
    what: "work paused, and resumed",
    async do(person) {
      await person.query("update processing_control set paused_at = now(), reason = 'chaos'");
      await person.query("select pg_sleep(0.3)");
      await person.query("update processing_control set paused_at = null, reason = null");
    },
  },
  {
    what: "blockmill cleanup --all",
    do: (_person, _random, world) => command(world, ["cleanup", "--all"]),
  },
  {
    what: "blockmill retry --all",
    do: (_person, _random, world) => command(world, ["retry", "--all"]),
  },
];

export const people: Scenario = {
  name: "people",
  about: "rows inserted, updated and deleted by hand in every state, and commands run beside the daemon",
  takes: ["people"],
  weight: 4,
  inject: (world, random) =>
    ignoringAway(() =>
      world.asPerson(async (person) => {
        const deed = random.pick(deeds);
        world.tally.fault(`people: ${deed.what}`);
        try {
          await deed.do(person, random, world);
        } catch (error) {
          // PostgreSQL chose this session out of a deadlock with the program: nothing was done.
          if ((error as { code?: string }).code !== "40P01") throw error;
        } finally {
          await person.query("rollback").catch(() => {});
          // A person who was cut off in between would have left it paused.
          await world.ask(
            "update processing_control set paused_at = null, reason = null where paused_at is not null",
          );
        }
      }),
    ),
};

/** Damages the rows of two blocks, and makes their jobs pending, which are kept from the archive meanwhile. */
async function damageAndAsk(person: Client, damage: readonly string[]): Promise<void> {
  await person.query("begin");
  const { rows } = await person.query<{ block_number: string }>(
    `select block_number from processing_jobs where status = 'completed' order by random() limit 2 for update skip locked`,
  );
  for (const { block_number } of rows) {
    for (const sql of damage) await person.query(sql, [block_number]);
    await person.query("update processing_jobs set status = 'pending' where block_number = $1", [
      block_number,
    ]);
  }
  await person.query("commit");
}

export const forgottenWorkers: Scenario = {
  name: "forgotten-workers",
  about: "a person deletes the rows of all registered workers",
  // A host that is lost before it registers again is found by its claims alone, which takes half a minute.
  takes: ["people", "processes", "hosts"],
  weight: 1,
  async inject(world) {
    await ignoringAway(() =>
      world.asPerson(async (person) => {
        await person.query("delete from processing_workers");
        world.tally.fault("people: registered workers deleted");
      }),
    );
    const registered = async (): Promise<boolean> =>
      (await world.ask("select from processing_workers where role = 'supervisor'")).length > 0;
    await waitFor(registered, { what: "the supervisor to register again", timeoutMs: 30_000, everyMs: 100 });
  },
};

/** Asserts that the database refuses a statement, or finds no row that it is about. */
async function refused(person: Client, sql: string): Promise<void> {
  const rows = await person.query(sql).then(
    ({ rowCount }) => rowCount,
    (error: { code?: string }) => {
      if (error.code !== "23514") throw error;
      return 0;
    },
  );
  if (rows !== 0) throw new Error(`the database took: ${sql} (${rows} rows)`);
}

/** Whatever became of the session that deleted them: what a person deletes and forgets is not lost by the program. */
async function insertAgain(world: World, blocks: readonly string[]): Promise<void> {
  await world.ask(
    "insert into processing_jobs (block_number) select unnest($1::bigint[]) on conflict do nothing",
    [blocks],
  );
}

async function command(world: World, args: string[]): Promise<void> {
  const { code, stderr } = await builtProgramEnded(args, world);
  // A database that goes away under it is told by its own exit code.
  if (code !== 0 && !/PostgreSQL|database/i.test(stderr))
    world.tally.brokenBy(`blockmill ${args.join(" ")} ended with ${code}: ${stderr.slice(0, 300)}`);
}
