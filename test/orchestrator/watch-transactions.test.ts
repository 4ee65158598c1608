import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createTransactionWatch } from "../../src/orchestrator/watch-transactions.js";
import { raiseAlert } from "../../src/queue/alerts.js";
import { silent, useWorld } from "./scene.js";

const world = useWorld();
const open = () =>
  world.rows<{ message: string }>(
    "select message from alerts where kind = 'old_transaction' and cleared_at is null",
  );

function watching(t: TestContext, olderThanMs = 0) {
  const said: string[] = [];
  const log = silent.child({});
  t.mock.method(log, "warn", (_facts: object, message: string) => said.push(message));
  return { look: createTransactionWatch({ pool: world.pool, log, olderThanMs }), said };
}

/** Runs `work` while a session has written and not ended its transaction. */
async function withOpen(work: (pid: number) => Promise<void>): Promise<void> {
  const session = await world.pool.connect();
  try {
    await session.query("begin; set local application_name = 'somebody'; select pg_current_xact_id()");
    const { rows } = await session.query<{ pid: number }>("select pg_backend_pid() as pid");
    await work(rows[0]?.pid ?? 0);
  } finally {
    await session.query("rollback");
    session.release();
  }
}

test("a transaction that is open for too long raises an alert that names it and says how to end it, until it is gone", async (t) => {
  const { look, said } = watching(t);
  await withOpen(async (pid) => {
    await look();
    const [alert] = await open();
    assert.match(
      alert?.message ?? "",
      new RegExp(`pid ${pid}, somebody, idle in transaction.*pg_terminate_backend\\(${pid}\\)`),
    );
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", new RegExp(`pid ${pid}`));
    await look();
    assert.equal(said.length, 1, "it is said once");
  });
  await look();
  assert.deepEqual(await open(), []);
});

test("the next transaction is said again", async (t) => {
  const { look, said } = watching(t);
  await withOpen(() => look());
  await look();
  await withOpen(() => look());
  assert.equal(said.length, 2);
});

test("a younger one raises nothing, and an alert that an earlier leader left is cleared", async (t) => {
  await raiseAlert(world.pool, "old_transaction", "of an earlier leader");
  const { look, said } = watching(t, 3_600_000);
  await withOpen(() => look());
  assert.deepEqual(await open(), []);
  assert.deepEqual(said, []);
});
