// The functions that readers call: schema.sql.

import assert from "node:assert/strict";
import { test } from "node:test";
import { changeRows } from "../../src/pipeline/change-rows.js";
import { useWorld } from "../orchestrator/scene.js";
import { feedScene, readAs } from "./scene.js";

const world = useWorld();

test("what was applied and reverted before a reader read of it is not told to it", async () => {
  const { chain, catchUp, read } = await feedScene(world, { head: 3, from: 0 });
  for (const name of ["saw", "saw_not"]) await world.pool.query("select start_reader($1, 0)", [name]);
  assert.deepEqual(await read("saw"), ["apply 0", "apply 1", "apply 2", "apply 3"]);
  for (let i = 0; i < 3; i += 1) {
    chain.canonical.reorg({ depth: 2, length: 2 });
    await catchUp();
  }
  assert.deepEqual(await read("saw_not"), ["apply 0", "apply 1", "apply 2", "apply 3"]);
  assert.deepEqual(await read("saw"), ["revert 3", "revert 2", "apply 2", "apply 3"]);
});

test("a reader that stops between an apply and its revert, and saw neither, is told neither afterwards", async () => {
  const { chain, follow, worker, catchUp, read } = await feedScene(world, { head: 3, from: 0 });
  await world.pool.query("select start_reader('mine', 0)");
  chain.canonical.mine(1);
  await catchUp();
  const derived = () =>
    changeRows(
      { pool: world.pool, dependents: world.dependents },
      {
        decide: async () => ({
          kind: "derive",
          name: "erc20",
          spans: [{ from: 0, to: 1 }],
          write: async () => {},
        }),
        settle: async () => {},
      },
    );
  await derived();
  chain.canonical.reorg({ depth: 1, length: 1 });
  await follow();
  await worker.finish();
  // The steps: apply 0 to 4, derive, revert 4. It never sees the first block 4.
  assert.deepEqual(await read("mine", 4), ["apply 0", "apply 1", "apply 2", "apply 3"]);
  assert.deepEqual(await read("mine", 1), ["derive erc20 0 1"]);
  assert.deepEqual(await world.rows("select unseen::text, position::int from chain_readers"), [
    { unseen: "{[4,5)}", position: 6 },
  ]);
  assert.deepEqual(await read("mine"), []);
  await catchUp();
  assert.deepEqual(await read("mine"), ["apply 4"]);
  assert.deepEqual(await world.rows("select unseen::text from chain_readers"), [{ unseen: "{}" }]);
});

test("a reader that reads in one transaction and advances in another was told what it read, whatever came between", async () => {
  const { chain, catchUp, read } = await feedScene(world, { head: 3, from: 0 });
  const { pool } = world;
  await pool.query("select start_reader('publisher', 0)");
  const client = await pool.connect();
  await client.query("begin isolation level repeatable read");
  const { rows } = await client.query("select * from read_changes('publisher')");
  await client.query("commit");
  client.release();
  assert.equal(rows.length, 4);
  chain.canonical.reorg({ depth: 1, length: 1 });
  await catchUp();
  await pool.query("select advance_reader('publisher', 4)");
  assert.deepEqual(await read("publisher"), ["revert 3", "apply 3"]);
});

test("what a reader does commits with its position, or not at all, and two at once by one name do it once", async () => {
  await feedScene(world, { head: 3, from: 0 });
  const { pool } = world;
  await pool.query("create table effects (id bigint primary key); select start_reader('mine', 0)");
  const once = async (commit: boolean) => {
    const client = await pool.connect();
    try {
      await client.query("begin isolation level repeatable read");
      await client.query("insert into effects select id from read_changes('mine', 2)");
      await client.query("select advance_reader('mine', (select max(id) from effects))");
      await client.query(commit ? "commit" : "rollback");
    } catch (error) {
      await client.query("rollback");
      throw error;
    } finally {
      client.release();
    }
  };
  await once(false);
  const outcomes = await Promise.allSettled([once(true), once(true)]);
  for (const each of outcomes)
    if (each.status === "rejected") assert.equal((each.reason as { code: string }).code, "40001");
  while ((await world.rows("select from chain_readers where position < 4")).length > 0) await once(true);
  assert.deepEqual(await world.rows("select count(*)::int as count from effects"), [{ count: 4 }]);
  await pool.query("drop table effects");
});

test("what a reader may not do is refused, and says what to do", async () => {
  const { pool } = world;
  const refused = (statement: string, message: RegExp, hint: RegExp) =>
    assert.rejects(pool.query(statement), { code: "55000", message, hint }, statement);
  await feedScene(world, { head: 3 });
  await refused("select start_reader('mine')", /the feed is off/, /feed\.enabled/);
  await refused("select read_changes('mine')", /the feed is off/, /feed\.enabled/);
  await feedScene(world, { head: 3, from: 0 });
  await refused("select read_changes('mine')", /no reader 'mine'/, /start_reader/);
  for (const name of [
    "''",
    "'a b'",
    "E'x\\ny'",
    "'it''s'",
    `'${"x".repeat(64)}'`,
    "null",
    "'; drop table blocks'",
  ])
    await refused(`select start_reader(${name})`, /cannot be called/, /63 letters/);
  await refused(`select read_changes('"; drop table blocks; --')`, /no reader '"; drop/, /start_reader/);
  await refused("select start_reader('mine', 5)", /after step 5: there are steps from 1 to 4/, /from here/);
  await refused(
    "begin isolation level repeatable read; select start_reader('mine')",
    /older than the reader 'mine'/,
    /READ COMMITTED/,
  );
  await pool.query("select start_reader('mine', 1)");
  await refused("select read_changes('mine')", /own snapshot/, /REPEATABLE READ/);
  await assert.rejects(readAs(pool, "mine", 0), { message: /at most 0 steps/ });
  await readAs(pool, "mine", 1);
  for (const id of ["1", "5", "null"])
    await refused(
      `select advance_reader('mine', ${id})`,
      /cannot advance .* from step 2 to 4/,
      /read_changes/,
    );
});

test("a reader that starts waits for a change of rows that is under way: none of it is lost to the reader", async () => {
  const { read } = await feedScene(world, { head: 3, from: 0 });
  const { pool } = world;
  let starting: Promise<unknown> | undefined;
  await changeRows(
    { pool, dependents: world.dependents },
    {
      async decide() {
        starting = pool.query("select start_reader('mine')");
        for (;;) {
          const waiting = await world.rows(
            "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%start_reader%' and pid <> pg_backend_pid()",
          );
          if (waiting.length > 0) break;
        }
        return { kind: "remove", spans: [{ from: 3, to: 3 }] };
      },
      settle: async () => {},
    },
  );
  await starting;
  assert.deepEqual(await world.rows("select position::int from chain_readers"), [{ position: 5 }]);
  assert.deepEqual(await read("mine"), []);
});
