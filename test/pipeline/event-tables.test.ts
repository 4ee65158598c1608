// Rows of event tables come with their block, and never cost it.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { createEventTables, type EventTables } from "../../src/pipeline/event-tables.js";
import { removeStored } from "../../src/pipeline/remove-stored.js";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { apply, assertDecoded, dropAll, fillAll, fixtureEvents } from "../decode/event-scene.js";
import { assertCanonical, numbers, silent, useWorld, type Worker, workerOf } from "../orchestrator/scene.js";
import { scriptChain } from "../orchestrator/scripted-chain.js";

const world = useWorld();
afterEach(() => dropAll(world.pool));

async function scene(blocks: number) {
  const chain = scriptChain({ head: blocks, transactions: 6 });
  await world.rows("insert into processing_jobs (block_number) select generate_series(1, $1::int)", [blocks]);
  await apply(world.pool, fixtureEvents);
  const { worker, tables } = await decodingWorker(chain);
  return { chain, worker, tables };
}

async function decodingWorker(
  chain: ReturnType<typeof scriptChain>,
): Promise<{ worker: Worker; tables: EventTables }> {
  const worker = workerOf(world, chain);
  const tables = createEventTables({ pool: world.pool, log: silent });
  await tables.refresh();
  worker.pipeline.eventTables = tables;
  return { worker, tables };
}

const coverage = () =>
  world
    .rows<{ coverage: string }>("select distinct coverage::text from decoders")
    .then((rows) => rows.map((row) => row.coverage));

const troubles = () =>
  world.rows<{ table_name: string; trouble: string }>(
    "select table_name, trouble from decoders where trouble is not null order by 1",
  );

test("a block's rows are there with its commit, as viem decodes its logs, and filling finds nothing to do", async () => {
  const { chain, worker } = await scene(12);
  await worker.finish();
  await assertCanonical(world, chain, numbers(1, 12));
  const rows = await assertDecoded(world.pool, { isWhole: true });
  assert(rows >= 30, `${rows} rows`);
  assert.equal(await fillAll(world), 0);
  assert.deepEqual(await coverage(), ["{[1,13)}"]);
});

test("what is stored without its rows is filled from logs, and a block that goes takes its rows with it", async () => {
  const { worker } = await scene(9);
  worker.pipeline.eventTables = undefined;
  await worker.finish();
  assert.equal(await assertDecoded(world.pool, { isWhole: false }), 0);
  assert.equal(await fillAll(world, 4), 9);
  const rows = await assertDecoded(world.pool, { isWhole: true });
  assert(rows > 0);
  await removeStored(world, { from: 4, to: 6 });
  assert.deepEqual(await coverage(), ["{[1,4),[7,10)}"]);
  await assertDecoded(world.pool, { isWhole: true });
});

test("a block that is written again has its rows once, whether its worker decodes or not", async () => {
  const { chain, worker } = await scene(6);
  await worker.finish();
  const before = await assertDecoded(world.pool, { isWhole: true });
  await enqueueSeries(world.pool, { from: 2, to: 4, force: true });
  await worker.finish();
  assert.equal(await assertDecoded(world.pool, { isWhole: true }), before);
  await enqueueSeries(world.pool, { from: 3, to: 3, force: true });
  await workerOf(world, chain, "b/w2").finish();
  await assertDecoded(world.pool, { isWhole: false });
  assert.equal(await fillAll(world), 1);
  assert.equal(await assertDecoded(world.pool, { isWhole: true }), before);
});

const hostile: Record<string, { begin: string; end: string; says: RegExp }> = {
  "a constraint that somebody added": {
    begin: "alter table pair_swap add constraint no_rows check (false)",
    end: "alter table pair_swap drop constraint no_rows",
    says: /no_rows/,
  },
  "a column that somebody dropped": {
    begin: "alter table pair_swap drop column to_ cascade",
    end: "alter table pair_swap add column to_ bytea",
    says: /to_/,
  },
  "a column that must not be null": {
    begin: "alter table pair_swap add column mine int not null",
    end: "alter table pair_swap drop column mine",
    says: /mine/,
  },
};

for (const [what, { begin, end, says }] of Object.entries(hostile))
  test(`${what} on an event table costs no block, is told, and is made up for when it is over`, async () => {
    const { chain, worker } = await scene(8);
    await world.rows(begin);
    await worker.commit(await worker.prepare(3));
    await worker.finish();
    await assertCanonical(world, chain, numbers(1, 8));
    assert.equal((await world.rows("select from processing_failures")).length, 0);
    const [noted] = await world.rows<{ trouble: string }>(
      "select trouble::text from decoded_blocks where trouble is not null",
    );
    assert.match(noted?.trouble ?? "", says);
    assert((await world.rows("select from erc20_transfer")).length > 0);
    await world.rows(end);
    await fillAll(world);
    await assertDecoded(world.pool, { isWhole: true });
    assert.deepEqual(await troubles(), []);
  });

test("a lock that somebody holds on an event table costs no block, and the others get their rows meanwhile", async () => {
  const { chain, worker } = await scene(8);
  const other = await world.pool.connect();
  try {
    await other.query("begin; lock table pair_swap in share mode");
    await worker.commit(await worker.prepare(4));
    await worker.finish();
    await assertCanonical(world, chain, numbers(1, 8));
    const [noted] = await world.rows<{ trouble: string }>(
      "select trouble::text from decoded_blocks where trouble is not null",
    );
    assert.match(noted?.trouble ?? "", /pair_swap.*lock timeout/);
    assert((await world.rows("select from erc20_transfer")).length > 0);
    await other.query("commit");
  } finally {
    other.release();
  }
  await fillAll(world);
  await assertDecoded(world.pool, { isWhole: true });
});

test("a table that is applied while a worker runs is written by its next batch, and one that is dropped is not", async () => {
  const { erc20, ...others } = fixtureEvents;
  assert(erc20 !== undefined);
  const { worker } = await scene(12);
  await worker.commit(await worker.prepare(2));
  await dropAll(world.pool);
  await worker.commit(await worker.prepare(2));
  await apply(world.pool, { erc20 });
  await worker.commit(await worker.prepare(2));
  const [row] = await world.rows<{ blocks: number }>(
    "select count(distinct block_number)::int as blocks from erc20_transfer",
  );
  await worker.finish();
  await apply(world.pool, { erc20, ...others });
  await fillAll(world);
  await assertDecoded(world.pool, { isWhole: true });
  assert((row?.blocks ?? 0) <= 2);
});
