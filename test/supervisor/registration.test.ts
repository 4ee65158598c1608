import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnyDoing } from "../../src/child/doing.js";
import type { ChildState } from "../../src/child/messages.js";
import type { Sql } from "../../src/db/pool.js";
import type { Child } from "../../src/supervisor/child.js";
import { Registration } from "../../src/supervisor/registration.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();

function scene() {
  const child = {
    role: "worker",
    workerId: "host/w1",
    pid: 7,
    state: "idle" as ChildState,
    doing: {} as AnyDoing,
  };
  const children = new Set([child as unknown as Child]);
  const registration = new Registration({
    supervisorId: "host",
    version: "1.2.3",
    children,
    deaths: () => 0,
  });
  let writes = 0;
  const sql = {
    query: (...given: Parameters<Sql["query"]>) => {
      writes += 1;
      return queue.pool.query(...given);
    },
  } as unknown as Sql;
  const write = async (mustWrite = false) => {
    const before = writes;
    await registration.write(sql, { mustWrite });
    return writes > before;
  };
  return { child, write };
}

test("the supervisor and its children are registered with what they do", async () => {
  const { child, write } = scene();
  child.doing = { completed: 5 };
  await write();
  assert.deepEqual(
    await queue.rows(
      `select worker_id, supervisor_id, role, pid, version, state, doing from processing_workers order by worker_id`,
    ),
    [
      {
        worker_id: "host",
        supervisor_id: "host",
        role: "supervisor",
        pid: process.pid,
        version: "1.2.3",
        state: "working",
        doing: { deaths: 0 },
      },
      {
        worker_id: "host/w1",
        supervisor_id: "host",
        role: "worker",
        pid: 7,
        version: "1.2.3",
        state: "idle",
        doing: { completed: 5 },
      },
    ],
  );
});

test("it is written when a state changed, or one of an endpoint, and not for what merely grows", async () => {
  const { child, write } = scene();
  assert.equal(await write(), true);
  child.doing = { completed: 6 };
  assert.equal(await write(), false);
  assert.equal(await write(true), true);
  child.state = "waiting";
  assert.equal(await write(), true);
  child.doing = { endpoints: [{ name: "node", state: "resting" }] } as unknown as AnyDoing;
  assert.equal(await write(), true);
  assert.equal(await write(), false);
});

test("what could not be written is written at the next look", async () => {
  const { child, write } = scene();
  await write();
  child.state = "draining";
  const away = { query: () => Promise.reject(new Error("it is away")) } as unknown as Sql;
  const registration = new Registration({
    supervisorId: "host",
    version: "1.2.3",
    children: new Set([child as unknown as Child]),
    deaths: () => 0,
  });
  await assert.rejects(registration.write(away, { mustWrite: false }));
  await registration.write(queue.pool, { mustWrite: false });
  assert.deepEqual(await queue.rows("select state from processing_workers where worker_id = 'host/w1'"), [
    { state: "draining" },
  ]);
});
