import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { inTransaction } from "../../src/db/pool.js";
import { SchemaError } from "../../src/errors.js";
import { changeRows } from "../../src/pipeline/change-rows.js";
import { removeStored } from "../../src/pipeline/remove-stored.js";
import { repairStored } from "../../src/pipeline/repair-stored.js";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { lockCoverage } from "../../src/queue/lock-coverage.js";
import {
  archiveAll,
  assertCanonical,
  forgetBlock,
  forgetRows,
  numbers,
  storedScene,
  useWorld,
  workerOf,
} from "../orchestrator/scene.js";
import { scriptChain } from "../orchestrator/scripted-chain.js";
import { waitFor } from "../support/process.js";

const world = useWorld();

const coverage = async () =>
  (await world.rows<{ blocks: string }>("select blocks::text as blocks from processing_coverage"))[0]?.blocks;

/** Holds the door's lock while `work` runs. */
async function behindClosedDoor<T>(work: () => Promise<T>): Promise<T> {
  return inTransaction(world.pool, async (tx) => {
    await lockCoverage(tx);
    return work();
  });
}

/** Waits until a statement with this text waits for a lock. */
const waits = (text: string) =>
  waitFor(
    async () =>
      (
        await world.rows(
          `select from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock' and position($1 in query) > 0`,
          [text],
        )
      ).length > 0,
    { what: `a statement to wait: ${text}` },
  );
const waitsForDoor = () => waits("processing_coverage for update");

/** What the server answers to the statements that `work` sends through the pool, and how often it waits for an answer. */
async function answersTo(pool: pg.Pool, work: () => Promise<unknown>) {
  const answers: string[] = [];
  let waits = 0;
  const heard = new Set<pg.PoolClient>();
  const listen = (client: pg.PoolClient): void => {
    if (heard.has(client)) return;
    heard.add(client);
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
    connection.on("commandComplete", ({ text }: { text: string }) => answers.push(text.replace(/ .*/, "")));
    connection.on("readyForQuery", () => {
      waits += 1;
    });
  };
  pool.on("acquire", listen);
  await work();
  pool.off("acquire", listen);
  return { answers, waits };
}

test("a commit of blocks of which none is stored sends no statement for the door, and does not wait for it", async () => {
  const chain = scriptChain({ head: 8, transactions: 2 });
  await enqueueSeries(world.pool, { from: 1, to: 8 });
  const worker = workerOf(world, chain);
  // The first one learns how the tables are laid out.
  await worker.commit(await worker.prepare(1));
  const batch = await worker.prepare();
  const { answers, waits } = await behindClosedDoor(() =>
    answersTo(world.pool, async () => assert.equal((await worker.commit(batch)).completed, 7)),
  );
  // Completion, the lock that commits share, edges, the look around; then a COPY for each table that has rows.
  assert.deepEqual(answers.slice(0, 5), ["BEGIN", "SELECT", "LOCK", "SELECT", "SELECT"]);
  assert.deepEqual([...new Set(answers.slice(5, -1))], ["COPY"]);
  assert.equal(answers.at(-1), "COMMIT");
  assert.equal(waits, 4);
  await assertCanonical(world, chain, numbers(1, 8));
});

test("a commit that finds a stored block waits for the door without any lock that others wait for", async () => {
  const { chain, worker } = await storedScene(world);
  await enqueueSeries(world.pool, { from: 38, to: 42, force: true });
  chain.canonical.mine(2);
  const batch = await worker.prepare();
  let committed: Promise<unknown> = Promise.resolve();
  await behindClosedDoor(async () => {
    committed = worker.commit(batch);
    await waitsForDoor();
    const { rows } = await world.pool.query(
      "select block_number from processing_jobs where status = 'processing' for update nowait",
    );
    assert.equal(rows.length, 5);
  });
  assert.deepEqual(await committed, { completed: 5, failed: 0, lost: 0 });
  await assertCanonical(world, chain, numbers(0, 42));
});

test("what a rewriting commit saw before it came through the door, it looks at again", async () => {
  const { chain, worker } = await storedScene(world);
  await enqueueSeries(world.pool, { from: 39, to: 40, force: true });
  const batch = await worker.prepare();
  const old = chain.canonical.branch;
  let committed: Promise<unknown> = Promise.resolve();
  await behindClosedDoor(async () => {
    committed = worker.commit(batch);
    await waitsForDoor();
    // As a reorg that came first leaves them.
    await forgetRows(world, 40);
    await world.rows("update processing_jobs set claims = claims + 1 where block_number = 40");
  });
  assert.deepEqual(await committed, { completed: 1, failed: 0, lost: 1 });
  assert.equal(chain.canonical.branch, old);
  await assertCanonical(world, chain, numbers(0, 39));
});

test("nobody changes rows without a row of the coverage to lock", async (t) => {
  await world.rows("delete from processing_coverage");
  t.after(() => world.rows("insert into processing_coverage default values"));
  await assert.rejects(removeStored(world, { from: 0, to: 9 }), SchemaError);
  await world.rows(
    "insert into processing_jobs (block_number, status, completed_at) values (1, 'completed', now())",
  );
  await assert.rejects(archiveAll(world), SchemaError);
});

test("what is found to be missing, and stored before it is repaired, stays covered", async () => {
  const { chain } = await storedScene(world);
  await archiveAll(world);
  const missing = { table: "blocks", field: "number", expected: "a row", actual: "none" } as const;
  await repairStored(world, [{ kind: "missing", from: 5, to: 7, ...missing }]);
  assert.equal(await coverage(), "{[0,41)}");
  await assertCanonical(world, chain, numbers(0, 40));
  await forgetBlock(world, 6);
  await repairStored(world, [
    { kind: "missing", from: 5, to: 7, ...missing },
    { kind: "wrong", from: 3, to: 3, ...missing },
  ]);
  assert.equal(await coverage(), "{[0,6),[7,41)}");
  assert.deepEqual(Object.keys(await world.statuses()), ["3", "5", "6", "7"]);
});

test("a repair locks jobs in the order of their blocks, whatever is wrong with which", async () => {
  await storedScene(world);
  const finding = { table: "blocks", field: "number", expected: "a row", actual: "none" } as const;
  // Block 20 is missing, 30 is wrong: somebody who holds 20 must find 30 free.
  const blocked = await world.pool.connect();
  try {
    await blocked.query("begin");
    await blocked.query("select from processing_jobs where block_number = 20 for update");
    const repaired = repairStored(world, [
      { kind: "wrong", from: 30, to: 30, ...finding },
      { kind: "missing", from: 20, to: 20, ...finding },
    ]);
    await waits("insert into processing_jobs");
    await blocked.query("select from processing_jobs where block_number = 30 for update nowait");
    await blocked.query("commit");
    assert.equal(await repaired, 2);
  } finally {
    blocked.release();
  }
});

test("a change that is refused on the way leaves everything as it was", async () => {
  const { chain } = await storedScene(world);
  await archiveAll(world);
  await assert.rejects(
    changeRows(world, {
      decide: async () => ({ kind: "remove", spans: [{ from: 3, to: 5 }] }),
      settle: () => Promise.reject(new Error("refused")),
    }),
    /refused/,
  );
  assert.equal(await coverage(), "{[0,41)}");
  await assertCanonical(world, chain, numbers(0, 40));
});
