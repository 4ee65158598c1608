// People with few rights, and what they can do all the same: hold locks, and insert rows that nobody expects.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { grantPrivilege, type Privilege } from "../../../src/db/grants.js";
import { inTransaction } from "../../../src/db/pool.js";
import { mark, measure } from "../recovery.js";
import type { Scenario } from "../scenario.js";
import type { World } from "../world.js";
import { ignoringAway } from "./locks.js";

export const injectorTransaction: Scenario = {
  name: "injector-transaction",
  about: "an injector inserts the jobs of the next heads, and leaves the transaction open for some seconds",
  takes: ["locks"],
  weight: 2,
  inject: (world, random) =>
    asRole(world, "injector", async (injector) => {
      await injector.query("begin");
      const next = world.load.highestHead + 1;
      await injector.query(
        "insert into processing_jobs (block_number) select generate_series($1::bigint, $1::bigint + $2::int) on conflict do nothing",
        [next, random.below(2)],
      );
      world.tally.fault("an injector's transaction left open");
      await world.load.mineOne();
      await sleep(1_000 + random.below(4_000));
      const from = await mark(world);
      await injector.query(random.chance(0.5) ? "commit" : "rollback");
      // What was inserted above the head is there by then: the account wants no job without a block.
      while (world.load.highestHead < next + 1) await world.load.mineOne();
      await measure(world, from, {
        what: "an injector's transaction over, to the next claim",
        since: world.clock(),
        wanted: { event: "claim" },
      });
    }),
};

export const strangerLocks: Scenario = {
  name: "stranger-locks",
  about:
    "a role without any right holds the advisory locks of leaders, hosts, edges and init for some seconds",
  takes: ["locks"],
  weight: 2,
  inject: (world, random) =>
    asRole(world, undefined, async (stranger) => {
      const supervisors = await world.ask<{ id: string }>(
        "select distinct supervisor_id as id from processing_workers",
      );
      const keys = [
        "blockmill orchestrator public",
        "blockmill candidates public",
        "blockmill init public",
        ...supervisors.map(({ id }) => id),
      ];
      // What somebody of ours holds is not to be had: whoever tries goes on.
      await stranger.query(
        "select pg_try_advisory_lock(hashtextextended(key, 0)) from unnest($1::text[]) as key",
        [keys],
      );
      const next = world.load.highestHead + 1;
      await stranger.query(
        `select pg_try_advisory_lock(hashtext('blockmill links public'), n)
         from generate_series($1::int, $1::int + 20) as n`,
        [random.chance(0.7) ? next : random.below(next)],
      );
      world.tally.fault("advisory locks held by a stranger");
      const from = await mark(world);
      const since = world.clock();
      await world.load.mineOne();
      await measure(world, from, {
        what: "a stranger holds our advisory locks, to the next block that is stored",
        since,
        wanted: { event: "completion" },
      });
      await sleep(random.below(3_000));
    }),
};

/** Above every block that the chain will have. */
const far = 10_000_000;

export const injectorRows: Scenario = {
  name: "injector-rows",
  about:
    "an injector and a person insert rows at every bound, far above the head, at infinity and in other statuses",
  takes: ["people"],
  weight: 2,
  async inject(world, random) {
    await asRole(world, "injector", async (injector) => {
      world.tally.fault("rows at and beyond the bounds");
      for (const number of ["-1", "9007199254740991", "9223372036854775807"])
        await assertRefused(
          injector,
          `insert into processing_jobs (block_number) values (${number})`,
          "23514",
        );
      await assertRefused(
        injector,
        "insert into processing_jobs (block_number, status) values (1, 'completed')",
        "42501",
      );
      await injector.query(
        `insert into processing_jobs (block_number, priority, run_at, metadata)
         values (9007199254740990, 2147483647, '-infinity', '{}'), ($1, 2147483647, now(), '[]'),
           ($1 + 1, -2147483648, 'infinity', 'null'), ($1 + 2, 0, '294276-12-31', null)
         on conflict do nothing`,
        [far],
      );
    });
    await ignoringAway(() =>
      world.asPerson(async (person) => {
        world.tally.fault("claims and counters at their ends");
        await person.query(
          `update processing_jobs
           set claims = 2147483647, deaths = 0, absences = 2147483647, priority = 2147483647
           where block_number = any (array(
             select block_number from processing_jobs where status = 'pending' and claims < 2147483647 and block_number < $1
             order by random() limit 3 for update skip locked))`,
          [far],
        );
        await person.query(
          `insert into processing_jobs (block_number, status, worker_id, started_at, completed_at)
           values ($1, 'processing', 'ghost.1.abcdef/w1', 'infinity', null),
             ($1 + 1, 'processing', 'ghost.1.abcdef/w1', '-infinity', null), ($1 + 2, 'failed', null, null, null),
             ($1 + 3, 'cancelled', 'nobody', 'infinity', null), ($1 + 4, 'scheduled', null, null, null)
           on conflict do nothing`,
          [far + 10],
        );
      }),
    );
    const from = await mark(world);
    const since = world.clock();
    await world.load.mineOne();
    await measure(world, from, {
      what: "rows at the bounds, to the next block that is stored",
      since,
      wanted: { event: "completion" },
    });
    await sleep(random.below(2_000));
    await world.ask("delete from processing_jobs where block_number >= $1", [far]);
  },
};

/** Asserts that the database refuses a statement, with this SQLSTATE. */
async function assertRefused(client: Client, sql: string, sqlstate: string): Promise<void> {
  const code = await client.query(sql).then(
    () => "nothing",
    (error: { code?: string }) => error.code,
  );
  // 57P and 08: the server goes away meanwhile.
  if (code !== sqlstate && !/^(57P|08)/.test(code ?? "08")) throw new Error(`${sql}: refused with ${code}`);
}

/** A session of a role of its own, with a privilege or none. The role goes with it. */
async function asRole(
  world: World,
  privilege: Privilege | undefined,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  const role = `chaos_${randomBytes(4).toString("hex")}`;
  const password = randomBytes(8).toString("hex");
  await ignoringAway(async () => {
    await world.pool.query(`create role ${role} login password '${password}'`);
    if (privilege !== undefined)
      await inTransaction(world.pool, (tx) => grantPrivilege(tx, "public", role, privilege));
    const url = new URL(world.adminUrl);
    url.username = role;
    url.password = password;
    await world.asPerson(work, { url: url.href });
  });
  await world.ask(`do $$ begin
    if exists (select from pg_roles where rolname = '${role}') then
      drop owned by ${role};
      drop role ${role};
    end if;
  end $$`);
}
