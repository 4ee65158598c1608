// What is applied, what becomes of it when it changes, and how it is filled.

import assert from "node:assert/strict";
import { test } from "node:test";
import { copyOut } from "../../src/db/copy-out.js";
import { readDerivedViews } from "../../src/db/derived-tables.js";
import { send } from "../../src/db/exchange.js";
import { inTransaction } from "../../src/db/pool.js";
import {
  coverFilled,
  findUncovered,
  foldDecoded,
  noteDecoded,
  noteTrouble,
  uncoverDecoded,
} from "../../src/decode/coverage.js";
import { planDecoders } from "../../src/decode/plan-decoders.js";
import { decoderSet, findUnapplied, readGeneration, readRegistry } from "../../src/decode/registry.js";
import { createFillDuty } from "../../src/orchestrator/fill-duty.js";
import { applyDecoders, dropDecoders, stepsOf } from "../../src/pipeline/apply-decoders.js";
import { readDecoderStatus } from "../../src/pipeline/decode-status.js";
import { dependents } from "../../src/pipeline/dependents.js";
import { fillEventTables } from "../../src/pipeline/fill-event-tables.js";
import { sampleMatches } from "../../src/pipeline/sample-matches.js";
import { deleteDerived } from "../../src/store/delete-derived.js";
import { asDerivedRowsError, DerivedRowsError } from "../../src/store/derived-rows-error.js";
import { apply, assertDecoded, fillAll, fixtureEvents } from "../decode/event-scene.js";
import { silent } from "../orchestrator/scene.js";
import { useStoredChain } from "../stored/stored-chain.js";

const { pair, erc20 } = fixtureEvents;
assert(pair !== undefined && erc20 !== undefined);
const plan = (settings: typeof fixtureEvents) => planDecoders(settings, ".");

test("applied again it is kept; with other addresses it is filled again; with other columns it is made again", async (t) => {
  const chain = await useStoredChain(t, { transactions: 4, logsPerTransaction: 3 });
  const { pool } = chain;
  const door = { pool, dependents };
  await chain.store(1, 8);
  const steps = async (settings: typeof fixtureEvents) =>
    (await stepsOf(pool, plan(settings))).map((step) => [step.table, step.do]);
  assert.deepEqual(await steps({ pair }), [
    ["pair_swap", "create"],
    ["pair_sync", "create"],
  ]);
  assert.deepEqual(await findUnapplied(pool, { pair }), ["pair"]);
  await apply(pool, { pair });
  assert.deepEqual(await findUnapplied(pool, { pair }), []);
  assert.deepEqual(await readDerivedViews(pool, "public"), ["pair_swap_hex", "pair_sync_hex"]);
  const { generation } = await readGeneration(pool);
  assert.equal(generation, (await readRegistry(pool)).generation);

  const sample = await sampleMatches(pool, plan({ pair }));
  await fillAll(door, 3);
  const rows = await assertDecoded(pool, { isWhole: true });
  const [swaps, syncs] = [sample.get("pair_swap"), sample.get("pair_sync")];
  assert(rows > 0 && swaps?.isExact === true && syncs?.isExact === true);
  assert.equal(swaps.logs + syncs.logs, rows);

  await apply(pool, { pair: { ...pair } });
  assert.equal((await readGeneration(pool)).generation, generation);
  const { rows: found } = await pool.query<{ address: string }>(
    "select '0x' || encode(address, 'hex') as address from pair_swap limit 1",
  );
  const narrow = { pair: { ...pair, address: String(found[0]?.address) } };
  assert.deepEqual(await steps(narrow), [
    ["pair_swap", "refill"],
    ["pair_sync", "refill"],
  ]);
  assert.deepEqual(await findUnapplied(pool, narrow), ["pair"]);
  await apply(pool, narrow);
  assert.notEqual((await readGeneration(pool)).generation, generation);
  assert((await pool.query("select from pair_swap")).rowCount);
  await fillAll(door);
  const fewer = await assertDecoded(pool, { isWhole: true });
  assert(fewer > 0 && fewer < rows);

  const renamed = { pair: { ...narrow.pair, rename: { "Swap.amount0In": "paid" } } };
  assert.deepEqual(await steps(renamed), [
    ["pair_swap", "replace"],
    ["pair_sync", "keep"],
  ]);
  await apply(pool, renamed);
  await fillAll(door);
  assert.equal(
    (await pool.query("select paid from pair_swap")).rowCount,
    (await pool.query("select from pair_swap_hex")).rowCount,
  );
  assert.deepEqual(await steps({}), [
    ["pair_swap", "unconfigured"],
    ["pair_sync", "unconfigured"],
  ]);
  assert.deepEqual(await dropDecoders(pool, ["pair_swap", "nothing"]), ["pair_swap"]);
  assert.deepEqual(await steps({}), [["pair_sync", "unconfigured"]]);
});

test("what a newer program applied is left to it", async (t) => {
  const { pool } = await useStoredChain(t);
  await apply(pool, { pair });
  await pool.query(
    `update decoders set definition = definition || '{"meaning": 99}' where table_name = 'pair_swap'`,
  );
  const registry = await readRegistry(pool);
  assert.deepEqual(registry.unknown, ["pair_swap"]);
  assert.deepEqual(
    registry.decoders.map(({ table }) => table),
    ["pair_sync"],
  );
});

test("in partitions, event tables have those of the blocks", async (t) => {
  const chain = await useStoredChain(t, { logsPerTransaction: 2 }, { partitionBlocks: 3 });
  await chain.store(1, 7);
  await apply(chain.pool, fixtureEvents);
  await fillAll({ pool: chain.pool, dependents });
  assert((await assertDecoded(chain.pool, { isWhole: true })) > 0);
});

test("the coverage adds up what commits noted, loses what changes, and says what lacks rows and why", async (t) => {
  const chain = await useStoredChain(t);
  const { pool } = chain;
  await chain.store(1, 9);
  await applyDecoders(pool, plan({ pair }));
  const { decoders } = await readRegistry(pool);
  const [swap = 0, sync = 0] = decoders.map(({ id }) => id);
  const { generation } = await readGeneration(pool);
  assert.equal(await send(pool, noteDecoded([], [])), generation);
  assert.equal(await send(pool, noteDecoded([swap, sync], [{ from: 1, to: 3 }])), generation);
  await send(pool, noteDecoded([swap, 999_999], [{ from: 5, to: 5 }]));
  await noteTrouble(pool, sync, "somebody's constraint");
  assert.equal((await readGeneration(pool)).noted, true);
  const status = async () =>
    (await readDecoderStatus(pool)).map(({ covered, missing, trouble }) => [covered, missing, trouble]);
  assert.deepEqual(await status(), [
    [4, 5, null],
    [3, 6, null],
  ]);
  await inTransaction(pool, foldDecoded);
  assert.deepEqual(await status(), [
    [4, 5, null],
    [3, 6, "somebody's constraint"],
  ]);
  const uncovered = await findUncovered(pool, [swap, sync], { limit: 3 });
  assert.deepEqual(
    uncovered.map(({ number, missing }) => [number, missing]),
    [
      [4, [swap, sync]],
      [5, [sync]],
      [6, [swap, sync]],
    ],
  );
  assert.deepEqual(
    (await findUncovered(pool, [swap], { limit: 9, from: 2, to: 6 })).map(({ number }) => number),
    [4, 6],
  );
  await inTransaction(pool, (tx) => uncoverDecoded(tx, [{ from: 2, to: 5 }]));
  await inTransaction(pool, (tx) =>
    coverFilled(tx, sync, { spans: [{ from: 9, to: 9 }], blocksPerSecond: 5 }),
  );
  assert.deepEqual(await status(), [
    [1, 8, null],
    [2, 7, null],
  ]);
  const copied = await inTransaction(pool, (tx) => copyOut(tx, "select 1::int8"));
  assert.equal(copied.toString("hex"), "0001000000080000000000000001");
});

test("a table whose rows are refused is named, left out by the leader, told of, and the others are filled", async (t) => {
  const chain = await useStoredChain(t, { transactions: 4, logsPerTransaction: 3 });
  const { pool } = chain;
  const door = { pool, dependents };
  await chain.store(1, 6);
  await apply(pool, { pair, erc20 });
  await pool.query("alter table pair_swap add constraint mine check (false)");
  const { decoders } = await readRegistry(pool);
  await assert.rejects(fillEventTables(door, decoderSet(decoders), { blocks: 6 }), (error) => {
    assert(error instanceof DerivedRowsError);
    assert.equal(error.table, "pair_swap");
    return true;
  });
  const duty = createFillDuty({ ...door, log: silent, checkMs: 30_000 });
  while ((await duty.run()) === 0);
  await duty.run();
  const told = await readDecoderStatus(pool);
  assert.deepEqual(
    told.map(({ table, missing }) => [table, missing]),
    [
      ["erc20_approval", 0],
      ["erc20_transfer", 0],
      ["pair_swap", 6],
      ["pair_sync", 0],
    ],
  );
  assert.match(told[2]?.trouble ?? "", /mine/);
  await assertDecoded(pool, { isWhole: false });
  await pool.query("alter table pair_swap drop constraint mine");
  await fillAll(door);
  await assertDecoded(pool, { isWhole: true });
  assert.equal((await readDecoderStatus(pool))[2]?.trouble, null);

  await assert.rejects(
    inTransaction(pool, (tx) => deleteDerived(tx, [{ table: "not_there", numbers: [1] }])),
    (error) => error instanceof DerivedRowsError && error.table === "not_there",
  );
  const plain = new Error("of the connection");
  assert.equal(asDerivedRowsError("pair_swap", plain), plain);
});

test("while nothing is applied the leader looks as rarely as it is told to", async (t) => {
  const { pool } = await useStoredChain(t);
  const duty = createFillDuty({ pool, dependents, log: silent, checkMs: 12_345 });
  assert.equal(await duty.run(), 12_345);
});
