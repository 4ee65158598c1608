import assert from "node:assert/strict";
import { test } from "node:test";
import { ruleSettings } from "../../src/config/alert-rules.js";
import type { Sql } from "../../src/db/pool.js";
import type { Logger } from "../../src/logger.js";
import { loopOfHost } from "../../src/supervisor/starts.js";
import { createLoopAlert } from "../../src/supervisor/tell-loop.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();
const rule = ruleSettings("").crash_loop;
const silent = { info() {} } as unknown as Logger;

const open = async () =>
  (await queue.rows<{ message: string }>("select message from alerts where cleared_at is null")).map(
    ({ message }) => message,
  );
const longAgo = () => performance.now() - 130_000;
const away = { query: () => Promise.reject(new Error("it is away")) } as unknown as Sql;

test("a loop is an alert once the database is there, and is cleared when this life has lasted", async () => {
  const message = `${loopOfHost()}5 times in 9 s; the last end: it broke`;
  const young = createLoopAlert(message, rule, silent);
  await young.look(away);
  await young.look(queue.pool);
  await young.look(queue.pool);
  assert.deepEqual(await open(), [message]);
  const old = createLoopAlert(message, rule, silent, longAgo());
  await old.look(queue.pool);
  assert.deepEqual(await open(), [message]);
  await old.look(away);
  await old.look(queue.pool);
  assert.deepEqual(await open(), []);
});

test("a life without a loop clears what an earlier one of its host raised, and no other host's", async (t) => {
  t.after(() => queue.rows("truncate alerts"));
  const insert = (message: string) =>
    queue.rows("insert into alerts (kind, message) values ('crash_loop', $1)", [message]);
  await insert(`${loopOfHost()}5 times`);
  await createLoopAlert(undefined, rule, silent).look(queue.pool);
  assert.equal((await open()).length, 1, "before it has lasted");
  await createLoopAlert(undefined, rule, silent, longAgo()).look(queue.pool);
  assert.deepEqual(await open(), []);
  await insert("blockmill on another host started 5 times");
  await createLoopAlert(undefined, rule, silent, longAgo()).look(queue.pool);
  assert.equal((await open()).length, 1);
});
