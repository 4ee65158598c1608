// A number at which the chain has no block: completed without rows, and only where nothing that is stored says otherwise.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AbsentBlockError } from "../../src/chain/prove-absence.js";
import { completeAbsent } from "../../src/pipeline/complete-absent.js";
import { useWorld, workerOf } from "../orchestrator/scene.js";
import { scriptChain } from "../orchestrator/scripted-chain.js";

const world = useWorld();

/** Blocks 1 to 4 are stored, as the chain has them; the job of `number` is claimed once more. */
async function scene(number: number) {
  const chain = scriptChain();
  chain.canonical.mine(4);
  await world.rows("insert into processing_jobs (block_number) select generate_series(1, 4)");
  const { pipeline, ...worker } = workerOf(world, chain);
  await worker.finish();
  await world.rows(
    "update processing_jobs set status = 'pending', completed_at = null where block_number = $1",
    [number],
  );
  const [claimed] = (await worker.prepare(1)).prepared;
  assert(claimed !== undefined);
  const refs = await world.rows<{ number: number; hash: string; parentHash: string }>(
    `select number::int, '0x' || encode(hash, 'hex') as hash, '0x' || encode(parent_hash, 'hex') as "parentHash" from blocks`,
  );
  const ref = (at: number) => refs.find((each) => each.number === at) as never;
  const absence = (parent: number, child: number) =>
    new AbsentBlockError({ number, absence: { parent: ref(parent), child: ref(child) }, endpoint: "a" });
  return { pipeline, job: claimed.job, absence };
}

const stored = async () =>
  (await world.rows<{ number: number }>("select number from blocks order by 1")).map(({ number }) => number);

test("what is stored under it goes, and its job is completed as absent", async () => {
  const { pipeline, job, absence } = await scene(3);
  // Block 4 is to name block 2 as its parent.
  await world.rows(
    "update blocks set parent_hash = (select hash from blocks where number = 2) where number = 4",
  );
  assert.deepEqual(await completeAbsent(pipeline, job, absence(2, 4)), { completed: 1, failed: 0, lost: 0 });
  assert.deepEqual(await stored(), [1, 2, 4]);
  const [{ status, result } = {} as never] = await world.rows<{
    status: string;
    result: { absent: boolean };
  }>("select status, result from processing_jobs where block_number = 3");
  assert.deepEqual([status, result.absent], ["completed", true]);
});

test("where a stored neighbour says otherwise, the job fails and nothing is taken away", async () => {
  const { pipeline, job, absence } = await scene(3);
  assert.deepEqual(await completeAbsent(pipeline, job, absence(2, 4)), { completed: 0, failed: 1, lost: 0 });
  assert.deepEqual(await stored(), [1, 2, 3, 4]);
});

test("a job that was handed on stays as it is", async () => {
  const { pipeline, job, absence } = await scene(3);
  await world.rows("update processing_jobs set claims = claims + 1 where block_number = 3");
  assert.deepEqual(await completeAbsent(pipeline, job, absence(2, 4)), { completed: 0, failed: 0, lost: 1 });
  assert.deepEqual(await stored(), [1, 2, 3, 4]);
});
