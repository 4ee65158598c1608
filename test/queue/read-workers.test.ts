import assert from "node:assert/strict";
import { test } from "node:test";
import { readWorkers } from "../../src/queue/read-workers.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

const register = (supervisor: string, ...processes: [id: string, role: string, doing?: unknown][]) =>
  queue.rows(
    `insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version, state, doing)
     select id, $1, role, 'host', 1, '0', 'idle', doing::jsonb
     from unnest($2::text[], $3::text[], $4::text[]) as process (id, role, doing)`,
    [
      supervisor,
      processes.map(([id]) => id),
      processes.map(([, role]) => role),
      processes.map(([, , doing]) => (doing === undefined ? null : JSON.stringify(doing))),
    ],
  );

test("each supervisor is followed by its children, in the order of the roles and then of their numbers", async () => {
  await register("b", ["b", "supervisor"]);
  await register("a", ["a/w10", "worker"], ["a/w2", "worker"], ["a/o", "orchestrator"], ["a", "supervisor"]);
  const ids = async (limit: number) => (await readWorkers(queue.pool, limit)).map(({ workerId }) => workerId);
  assert.deepEqual(await ids(100), ["a", "a/o", "a/w2", "a/w10", "b"]);
  assert.deepEqual(await ids(2), ["a", "a/o"]);
});

test("only who has a session that holds the supervisor's lock lives", async () => {
  await register("a", ["a", "supervisor"], ["a/w1", "worker"]);
  await register("b", ["b", "supervisor"]);
  const lives = async () =>
    Object.fromEntries((await readWorkers(queue.pool, 100)).map((each) => [each.workerId, each.lives]));
  const holder = await queue.pool.connect();
  try {
    await holder.query("select pg_advisory_lock(hashtextextended('a', 0))");
    assert.deepEqual(await lives(), { a: true, "a/w1": true, b: false });
  } finally {
    await holder.query("select pg_advisory_unlock_all()");
    holder.release();
  }
  assert.deepEqual(await lives(), { a: false, "a/w1": false, b: false });
});

test("what a process says is read by its role, whatever stands there", async () => {
  await register("a", ["a/w1", "worker", { completed: 5, blocks: [1, 2], memoryMb: "much" }]);
  await register("b", ["b/w1", "worker", ["no", "record"]]);
  const [first, second] = await readWorkers(queue.pool, 100);
  assert.deepEqual(first?.doing, { completed: 5, blocks: [1, 2] });
  assert.deepEqual(second?.doing, {});
});
