import assert from "node:assert/strict";
import { test } from "node:test";
import { inTransaction } from "../../src/db/pool.js";
import { changeRows } from "../../src/pipeline/change-rows.js";
import { removeStored } from "../../src/pipeline/remove-stored.js";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { addDerivedTable } from "../../src/store/add-derived-table.js";
import { forgetRows, useWorld } from "../orchestrator/scene.js";
import { feedScene } from "./scene.js";

const world = useWorld();
const door = () => ({ pool: world.pool, dependents: world.dependents });
const derive = (name: string, from: number, to: number) =>
  changeRows(door(), {
    decide: async () => ({ kind: "derive", name, spans: [{ from, to }], write: async () => {} }),
    settle: async () => {},
  });

test("a reorg is told from the top down, and only of blocks that were told", async () => {
  const { chain, catchUp, steps, follow, worker } = await feedScene(world, { head: 6, from: 3 });
  chain.canonical.mine(1);
  await follow();
  await worker.finish();
  // Block 7 is stored and not told.
  chain.canonical.reorg({ depth: 5, length: 6 });
  await catchUp();
  assert.deepEqual(
    await steps(4),
    ["revert 6", "revert 5", "revert 4", "revert 3"].concat([3, 4, 5, 6, 7, 8].map((n) => `apply ${n}`)),
  );
  const [wrong] = await world.rows(
    `select count(*)::int as count from chain_changes as step join blocks using (number)
     where kind = 'apply' and id > 8 and (step.hash <> blocks.hash or step.parent_hash <> blocks.parent_hash)`,
  );
  assert.deepEqual(wrong, { count: 0 });
});

test("a block that is written again with the same rows is no step; with other rows it is reverted and applied at once", async () => {
  const { worker, steps, read } = await feedScene(world, { head: 6, from: 0 });
  await world.pool.query("select start_reader('mine')");
  const again = async () => {
    await enqueueSeries(world.pool, { from: 2, to: 4, force: true });
    await worker.finish();
  };
  await again();
  assert.deepEqual(await steps(7), []);
  await world.pool.query("update transactions set value = value + 1 where block_number = 3");
  await again();
  assert.deepEqual(await steps(7), ["revert 3", "apply 3"]);
  assert.deepEqual(await read("mine"), ["revert 3", "apply 3"]);
  assert.deepEqual(await read("mine"), []);
});

test("a removed block is reverted, and nothing above it is; the feed waits for it before it tells the next", async () => {
  const { chain, worker, follow, catchUp, steps } = await feedScene(world, { head: 6, from: 0 });
  await removeStored(door(), { from: 2, to: 3 });
  assert.deepEqual(await steps(7), ["revert 3", "revert 2"]);
  chain.canonical.mine(1);
  await catchUp();
  assert.deepEqual(await steps(9), []);
  await enqueueSeries(world.pool, { from: 2, to: 3 });
  await follow();
  await worker.finish();
  await catchUp();
  assert.deepEqual(await steps(9), ["apply 2", "apply 3", "apply 7"]);
});

test("of a block whose rows were removed by hand the door tells what it was told of it", async () => {
  const { steps } = await feedScene(world, { head: 6, from: 0 });
  await forgetRows(world, 5);
  await removeStored(door(), { from: 5, to: 5 });
  assert.deepEqual(await steps(7), ["revert 5"]);
  const [row] = await world.rows(
    "select hash = (select hash from chain_changes where id = 6) as same from chain_changes where id = 8",
  );
  assert.deepEqual(row, { same: true });
});

test("made rows are told of blocks that were told", async () => {
  const { steps } = await feedScene(world, { head: 6, from: 3 });
  await derive("erc20", 0, 2);
  await derive("erc20", 1, 4);
  assert.deepEqual(await steps(4), ["derive erc20 3 4"]);
});

test("the rows of a reverted block are kept for readers, of every table, and only where there is one", async () => {
  const { chain, catchUp } = await feedScene(world, { head: 6, from: 0 });
  await inTransaction(world.pool, (tx) =>
    addDerivedTable(tx, {
      name: "fed_event",
      columns: [{ name: "amount", type: "numeric(78,0) not null" }],
      key: ["amount"],
      comment: "made by a test",
    }),
  );
  await world.pool.query("insert into fed_event values (6, 2::numeric ^ 255), (6, 7), (5, 1)");
  chain.canonical.reorg({ depth: 1, length: 1 });
  await catchUp();
  assert.deepEqual(await world.rows("select from dropped_rows"), []);
  await world.pool.query("insert into fed_event values (6, 2::numeric ^ 255), (6, 7)");

  await world.pool.query("select start_reader('mine')");
  const before = {
    blocks: await world.rows("select * from blocks where number = 6"),
    transactions: await world.rows("select * from transactions where block_number = 6 order by 2"),
    logs: await world.rows("select * from logs where block_number = 6 order by 2"),
    events: await world.rows("select * from fed_event where block_number = 6 order by 2"),
  };
  chain.canonical.reorg({ depth: 1, length: 2 });
  await catchUp();
  const [{ id } = { id: 0 }] = await world.rows<{ id: number }>(
    "select max(id)::int as id from chain_changes where kind = 'revert'",
  );
  const dropped = (table: string) => world.rows(`select * from dropped(null::${table}, $1) order by 2`, [id]);
  assert.deepEqual(
    {
      blocks: await dropped("blocks"),
      transactions: await dropped("transactions"),
      logs: await dropped("logs"),
      events: await dropped("fed_event"),
    },
    before,
  );
  assert.equal(before.transactions.length, 2);
  const [view] = await world.rows(
    `select count(*)::int as rows, bool_and(dropped_hash = $2 and block_hash = $2) as same
     from dropped_transactions where change_id = $1`,
    [id, before.blocks[0]?.hash],
  );
  assert.deepEqual(view, { rows: 2, same: true });
  await assert.rejects(world.pool.query("select * from dropped(17, 1)"), {
    message: /integer is not a table/,
  });
  await world.pool.query("drop table fed_event; delete from chain_tables");
});

test("while the feed is off the door looks at no row for it, and sends no statement", async () => {
  const { worker } = await feedScene(world, { head: 6 });
  await world.pool.query(`
    create function trip() returns trigger language plpgsql as $$ begin raise 'the feed was written'; end $$;
    create trigger trip before insert or update or delete on chain_changes for each statement execute function trip();
    create trigger trip before insert or update or delete on chain_feed for each statement execute function trip();
    create trigger trip before insert or update or delete on dropped_rows for each statement execute function trip()`);
  try {
    await enqueueSeries(world.pool, { from: 2, to: 4, force: true });
    await worker.finish();
    assert.equal(await removeStored(door(), { from: 3, to: 4 }), 2);
  } finally {
    await world.pool.query("drop function trip() cascade");
  }
});
