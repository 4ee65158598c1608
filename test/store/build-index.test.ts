// The steps of a build by themselves. What `blockmill index` makes of them is in test/cli/index-tables.test.ts.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { UsageError } from "../../src/errors.js";
import { buildIndex, dropIndex, InterruptedError } from "../../src/store/build-index.js";
import type { ReaderIndex } from "../../src/store/reader-indexes.js";
import { createDatabase } from "../support/database.js";

const index: ReaderIndex = {
  name: "logs_topic1",
  table: "logs",
  columns: ["topic1"],
  usual: false,
  finds: "events by their first indexed argument",
};

async function place(t: TestContext, { partitionBlocks = 0 } = {}) {
  const database = await createDatabase({ partitionBlocks });
  const session = new pg.Client({ connectionString: database.url });
  await session.connect();
  t.after(async () => {
    await session.end();
    await database.drop();
  });
  if (partitionBlocks > 0)
    for (const block of [0, partitionBlocks])
      await session.query("select create_chain_partition($1)", [block]);
  const events: string[] = [];
  let onWait = (): void => {};
  const options = (signal = new AbortController().signal) => ({
    signal,
    onLeaf: ({ name }: { name: string }, event: string) => void events.push(`${name} ${event}`),
    onWait: () => onWait(),
  });
  const found = async () =>
    (
      await session.query<{ name: string; valid: boolean }>(
        `select relname as name, indisvalid as valid from pg_index join pg_class on pg_class.oid = indexrelid
         where relname like '%topic1%' order by 1`,
      )
    ).rows.map(({ name, valid }) => `${name}${valid ? "" : " (not valid)"}`);
  return {
    database,
    session,
    events,
    options,
    found,
    whenWaiting: (call: () => void) => {
      onWait = call;
    },
  };
}

test("a plain table's index is built in one step; a build that finds it does nothing", async (t) => {
  const { session, events, options, found } = await place(t);
  assert.equal((await buildIndex(session, index, options())).state, "built");
  assert.deepEqual(events, ["logs begun", "logs done"]);
  assert.deepEqual(await found(), ["logs_topic1"]);
  assert.equal((await buildIndex(session, index, options())).state, "built");
  assert.equal(events.length, 2);
});

test("a partitioned table's is built partition by partition, and one that is made later has it", async (t) => {
  const { session, events, options, found } = await place(t, { partitionBlocks: 10 });
  assert.equal((await buildIndex(session, index, options())).state, "built");
  assert.deepEqual(events, ["logs_0 begun", "logs_0 done", "logs_10 begun", "logs_10 done"]);
  await session.query("select create_chain_partition(20)");
  assert.deepEqual(await found(), [
    "logs_0_topic1_idx",
    "logs_10_topic1_idx",
    "logs_20_topic1_idx",
    "logs_topic1",
  ]);
});

test("a part that is there already is only attached", async (t) => {
  const { session, events, options } = await place(t, { partitionBlocks: 10 });
  await session.query("create index mine on logs_0 (topic1)");
  assert.equal((await buildIndex(session, index, options())).state, "built");
  assert.deepEqual(events, ["logs_0 done", "logs_10 begun", "logs_10 done"]);
});

test("what another index has the name of is neither built nor dropped", async (t) => {
  const { session, options } = await place(t);
  await session.query("create index logs_topic1 on logs (topic2)");
  await assert.rejects(
    buildIndex(session, index, options()),
    (error) => error instanceof UsageError && /is there already, and is another index/.test(error.message),
  );
  await assert.rejects(dropIndex(session, index, options()), UsageError);
});

test("an aborted build ends before its next step, and what is finished stays", async (t) => {
  const { session, events, options, found } = await place(t, { partitionBlocks: 10 });
  const end = new AbortController();
  const asked = options(end.signal);
  await assert.rejects(
    buildIndex(session, index, {
      ...asked,
      onLeaf(leaf, event) {
        asked.onLeaf(leaf, event);
        if (event === "done") end.abort();
      },
    }),
    InterruptedError,
  );
  assert.deepEqual(events.slice(0, 2), ["logs_0 begun", "logs_0 done"]);
  assert(!events.includes("logs_10 done"));
  assert.deepEqual(await found(), ["logs_0_topic1_idx", "logs_topic1 (not valid)"]);
  assert.equal((await buildIndex(session, index, options())).state, "built");
  assert.deepEqual(events.slice(-2), ["logs_10 begun", "logs_10 done"]);
});

test("a lock that is not to be had is tried for again, and commits are let through meanwhile", async (t) => {
  const { database, session, options, whenWaiting } = await place(t, { partitionBlocks: 10 });
  const other = await database.pool.connect();
  await other.query("begin; lock table logs in row exclusive mode");
  const waited = new Promise<void>((resolve) => whenWaiting(resolve));
  const built = buildIndex(session, index, options());
  await waited;
  await other.query("commit");
  other.release();
  assert.equal((await built).state, "built");
});

test("a concurrent build that was cut off is built again", async (t) => {
  const { session, options, found } = await place(t);
  await session.query(`
    insert into logs (block_number, log_index, block_hash, transaction_hash, transaction_index, address, data)
    select 1, n, sha256(''), sha256(''), 0, substr(sha256(''), 1, 20), '' from generate_series(0, 1) as n`);
  // A unique index that cannot be is left behind, not valid; then it is made to look like ours.
  await assert.rejects(
    session.query("create unique index concurrently logs_topic1 on logs (topic1) nulls not distinct"),
  );
  assert.deepEqual(await found(), ["logs_topic1 (not valid)"]);
  assert.equal((await buildIndex(session, index, options())).state, "built");
  assert.deepEqual(await found(), ["logs_topic1"]);
});

for (const partitionBlocks of [0, 10]) {
  test(`dropping takes the index and what is left of it, in ${partitionBlocks === 0 ? "one table" : "partitions"}; it tells whether there was any`, async (t) => {
    const { session, options, found } = await place(t, { partitionBlocks });
    assert.equal(await dropIndex(session, index, options()), false);
    await buildIndex(session, index, options());
    assert.equal(await dropIndex(session, index, options()), true);
    assert.deepEqual(await found(), []);
    if (partitionBlocks === 0) return;
    await session.query(
      "create index logs_topic1 on only logs (topic1); create index logs_0_topic1_idx on logs_0 (topic1)",
    );
    assert.equal(await dropIndex(session, index, options()), true);
    assert.deepEqual(await found(), []);
  });
}
