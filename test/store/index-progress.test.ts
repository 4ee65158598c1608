import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sql } from "../../src/db/pool.js";
import { readBuildProgress } from "../../src/store/index-progress.js";
import { useQueue } from "../queue/queue-database.js";
import { waitFor } from "../support/process.js";

const queue = useQueue();

const nothing = {
  locker: 0,
  lockers: 0,
  lockers_done: 0,
  blocks: 0,
  blocks_done: 0,
  tuples: 0,
  tuples_done: 0,
};

/** What is read where PostgreSQL says this. */
async function progress(row: Record<string, unknown>) {
  const sql = { query: async () => ({ rows: [{ ...nothing, ...row }] }) } as unknown as Sql;
  const read = await readBuildProgress(sql, 1);
  return { done: Number(read?.done.toFixed(3)), waitsFor: read?.waitsFor };
}

test("a phase has its part of the whole, and what is done of it counts by tuples, or else by blocks", async () => {
  const scanning = "building index: scanning table";
  assert.equal((await progress({ phase: scanning, blocks: 100, blocks_done: 50 })).done, 0.2);
  const loading = "building index: loading tuples in tree";
  const counts = { blocks: 100, blocks_done: 100, tuples: 10, tuples_done: 4 };
  assert.equal((await progress({ phase: loading, ...counts })).done, 0.6);
  assert.equal(
    (await progress({ phase: "index validation: scanning table", blocks: 1, blocks_done: 1 })).done,
    1,
  );
});

test("more done than there was is the whole of a phase, and a phase of a later PostgreSQL is nothing", async () => {
  const phase = "building index: scanning table";
  assert.equal((await progress({ phase, blocks: 100, blocks_done: 120 })).done, 0.4);
  assert.equal((await progress({ phase: "a new phase", blocks: 100, blocks_done: 50 })).done, 0);
});

test("whom it waits for is told while it waits, until all of them are gone", async () => {
  const phase = "waiting for old snapshots";
  const waiting = { phase, locker: 42, lockers: 2, lockers_done: 1 };
  assert.deepEqual(await progress(waiting), { done: 1, waitsFor: 42 });
  assert.equal((await progress({ ...waiting, lockers_done: 2 })).waitsFor, null);
  assert.equal((await progress({ ...waiting, phase: "building index: scanning table" })).waitsFor, null);
});

test("a session that builds nothing has no progress; one that waits for a writer tells of it", async () => {
  const [session, writer] = [await queue.pool.connect(), await queue.pool.connect()];
  try {
    const pidOf = async (client: typeof session) =>
      (await client.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid ?? 0;
    const [pid, writing] = [await pidOf(session), await pidOf(writer)];
    assert.equal(await readBuildProgress(queue.pool, pid), null);
    await writer.query("begin; lock table alerts in row exclusive mode; select pg_current_xact_id()");
    const built = session.query("create index concurrently made_up on alerts (message)");
    const seen = await waitFor(
      async () => {
        const read = await readBuildProgress(queue.pool, pid);
        return read?.waitsFor === writing && read;
      },
      { what: "the build to wait for the writer" },
    );
    assert.match(seen.phase, /^waiting for writers/);
    await writer.query("commit");
    await built;
  } finally {
    await session.query("drop index if exists made_up");
    session.release();
    writer.release();
  }
});
