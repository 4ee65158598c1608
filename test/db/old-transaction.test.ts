import assert from "node:assert/strict";
import { test } from "node:test";
import { findOldTransaction } from "../../src/db/old-transaction.js";
import { useQueue } from "../queue/queue-database.js";

const database = useQueue();

/** Runs `work` while a session has done `statements` and not ended its transaction. */
async function withOpen(statements: string[], work: (pid: number) => Promise<void>): Promise<void> {
  const session = await database.pool.connect();
  try {
    const { rows } = await session.query<{ pid: number }>("select pg_backend_pid() as pid");
    await session.query("begin");
    for (const statement of statements) await session.query(statement);
    await work(rows[0]?.pid ?? 0);
  } finally {
    await session.query("rollback");
    session.release();
  }
}

test("a transaction that has written is found with its session, its state and its age", async () => {
  await withOpen(["set local application_name = 'somebody'", "select pg_current_xact_id()"], async (pid) => {
    const found = await findOldTransaction(database.pool, 0);
    assert.equal(found?.pid, pid);
    assert.equal(found.application, "somebody");
    assert.equal(found.state, "idle in transaction");
    assert(found.ageMs >= 0);
  });
});

test("the oldest is found where there are several, and none that is younger than what is asked for", async () => {
  await withOpen(["select pg_current_xact_id()"], async (first) => {
    await withOpen(["select pg_current_xact_id()"], async () => {
      assert.equal((await findOldTransaction(database.pool, 0))?.pid, first);
    });
    assert.equal(await findOldTransaction(database.pool, 3_600_000), null);
  });
});

test("a transaction that holds nothing back is left alone", async () => {
  await withOpen(["select 1"], async () => {
    assert.equal(await findOldTransaction(database.pool, 0), null);
  });
});
