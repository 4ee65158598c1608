import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { inTransaction } from "../../src/db/pool.js";
import { dropHistory, prepareHistory } from "../../src/queue/history.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

const partitions = async () =>
  (
    await queue.rows<{ name: string }>(
      `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
       where inhparent = 'processing_history'::regclass order by 1`,
    )
  ).map(({ name }) => name);

/** A day's partition, by the database's clock. */
const dayName = async (ahead: number) =>
  (
    await queue.rows<{ name: string }>(
      "select 'processing_history_' || to_char((now() at time zone 'UTC')::date + $1::int, 'YYYYMMDD') as name",
      [ahead],
    )
  )[0]?.name ?? "";

const remember = (block: number, completed: string) =>
  queue.rows(
    `insert into processing_history (completed_at, block_number, id, priority, created_at, attempts)
     values (${completed}, $1, $1, 0, now(), 1)`,
    [block],
  );

beforeEach(async () => {
  for (const name of await partitions()) if (/\d$/.test(name)) await queue.rows(`drop table ${name}`);
  await queue.rows("truncate processing_history_other");
});

test("today and the next two days have a partition, and a second call makes none", async () => {
  await prepareHistory(queue.pool);
  const days = [await dayName(0), await dayName(1), await dayName(2)];
  assert.deepEqual(await partitions(), [...days, "processing_history_other"].sort());
  await prepareHistory(queue.pool);
  assert.equal((await partitions()).length, 4);
});

test("a day whose rows are elsewhere already is left out, and the others are made", async () => {
  await remember(1, "now()");
  await prepareHistory(queue.pool);
  assert.deepEqual(
    await partitions(),
    [await dayName(1), await dayName(2), "processing_history_other"].sort(),
  );
});

test("nobody waits for a partition while somebody holds the table", async () => {
  await inTransaction(queue.pool, async (tx) => {
    await tx.query("lock table processing_history in access share mode");
    await tx.query("lock table processing_history_other in access share mode");
    await prepareHistory(queue.pool);
  });
  assert.deepEqual(await partitions(), ["processing_history_other"]);
});

test("who may read the whole table may read its days", async () => {
  await queue.rows("grant select on processing_history to pg_monitor");
  try {
    await prepareHistory(queue.pool);
    const [{ may } = { may: false }] = await queue.rows<{ may: boolean }>(
      "select has_table_privilege('pg_monitor', $1, 'select') as may",
      [await dayName(0)],
    );
    assert.equal(may, true);
  } finally {
    await queue.rows("revoke select on processing_history from pg_monitor");
  }
});

test("days that are older are dropped, and such rows without a day deleted", async () => {
  const old = await dayName(-9);
  await queue.rows(
    `do $$ begin execute format(
       'create table %I partition of processing_history for values from (%L) to (%L)',
       '${old}', (now() at time zone 'UTC')::date - 9, (now() at time zone 'UTC')::date - 8); end $$`,
  );
  await prepareHistory(queue.pool);
  await remember(1, "now() - interval '20 days'");
  await remember(2, "now() - interval '3 days'");
  assert.deepEqual(await dropHistory(queue.pool, 7), [old]);
  assert.equal((await partitions()).includes(old), false);
  assert.deepEqual(await queue.rows("select block_number from processing_history_other"), [
    { block_number: 2 },
  ]);
  assert.deepEqual(await dropHistory(queue.pool, 7), []);
});
