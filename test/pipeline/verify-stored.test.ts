// What a verification is going to look at. That it finds what is wrong: test/stored.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  planVerification,
  type VerifyPlan,
  type VerifyStoredOptions,
} from "../../src/pipeline/verify-stored.js";
import { useStoredChain } from "../stored/stored-chain.js";

const all = { span: null, level: "roots", recoverSenders: true } satisfies Omit<VerifyStoredOptions, "pool">;

async function batchesOf(plan: VerifyPlan) {
  const batches: { blocks: number; done: number }[] = [];
  for await (const { blocks, done } of plan.run()) batches.push({ blocks, done });
  return batches;
}

test("where nothing is stored there is nothing to look at", async (t) => {
  const { pool } = await useStoredChain(t);
  const plan = await planVerification({ ...all, pool });
  assert.deepEqual({ ...plan, run: undefined }, { span: null, total: 0, strays: [], run: undefined });
  assert.deepEqual(await batchesOf(plan), []);
});

test("everything is from the lowest to the highest block that has a row, or that the queue says is stored", async (t) => {
  const { pool, store } = await useStoredChain(t);
  await store(2, 4);
  await pool.query("update processing_coverage set blocks = blocks + '{[7,9)}'");
  await pool.query("insert into withdrawals values (-5, 0, 0, '\\x', 0)");
  const plan = await planVerification({ ...all, pool });
  assert.deepEqual(plan.strays, [{ table: "withdrawals", rows: 1 }]);
  assert.equal(plan.span?.to, 8);
  const batches = await batchesOf(plan);
  assert.equal(batches.at(-1)?.done, plan.total);
  assert.equal(
    batches.reduce((sum, { blocks }) => sum + blocks, 0),
    3,
  );
});

test("a span that reaches beyond what is stored is looked at as far as something is", async (t) => {
  const { pool, store } = await useStoredChain(t);
  await store(2, 5);
  const plan = await planVerification({ ...all, pool, span: { from: 4, to: 1_000_000 } });
  assert.equal(plan.total, 2);
  assert.deepEqual(plan.strays, []);
  assert.equal((await batchesOf(plan)).at(-1)?.done, 2);
});

test("a sample is drawn from what is stored, and each of its blocks is proven once", async (t) => {
  const { pool, store } = await useStoredChain(t);
  await store(0, 5);
  const plan = await planVerification({ ...all, pool, sample: 3 });
  assert.equal(plan.total, 3);
  const batches = await batchesOf(plan);
  assert.deepEqual(
    batches.map(({ blocks, done }) => [blocks, done]),
    [
      [1, 1],
      [1, 2],
      [1, 3],
    ],
  );
});
