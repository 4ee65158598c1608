import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import type pg from "pg";
import { readIndexStates } from "../../src/store/index-states.js";
import { readerIndexes } from "../../src/store/reader-indexes.js";
import { setScene, until } from "../daemon/scene.js";
import { type StoredChain, useStoredChain } from "../stored/stored-chain.js";
import { blockmill, type Ended, startBlockmill } from "./blockmill.js";

interface Place {
  chain: StoredChain;
  pool: pg.Pool;
  env: { BLOCKMILL_DATABASE_URL: string };
  index(...args: string[]): Promise<Ended>;
}

async function setPlace(t: TestContext, { partitionBlocks = 0, last = 20 } = {}): Promise<Place> {
  const chain = await useStoredChain(t, { transactions: 3, logsPerTransaction: 2 }, { partitionBlocks });
  await chain.store(0, last);
  const env = { BLOCKMILL_DATABASE_URL: chain.database.url };
  return { chain, pool: chain.database.pool, env, index: (...args) => blockmill(["index", ...args], env) };
}

const usual = readerIndexes.filter(({ usual }) => usual);

/** Asserts that each of these is there as a whole, and that nothing invalid is left anywhere. */
async function assertBuilt(pool: pg.Pool, names: readonly string[]): Promise<void> {
  const states = await readIndexStates(
    pool,
    readerIndexes.filter(({ name }) => names.includes(name)),
  );
  assert.deepEqual(
    states.map(({ index, state, open }) => [index.name, state, open.length]),
    readerIndexes.filter(({ name }) => names.includes(name)).map(({ name }) => [name, "built", 0]),
  );
  const invalid = await pool.query(
    "select indexrelid::regclass::text as name from pg_index where not indisvalid",
  );
  assert.deepEqual(invalid.rows, []);
}

/** The plan of a query without its costs, where reading a whole table is out of the question. */
async function plan(pool: pg.Pool, query: string): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query("set enable_seqscan = off; set enable_bitmapscan = off");
    const { rows } = await client.query(`explain (costs off) ${query}`);
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  } finally {
    client.release(true);
  }
}

const indexCount = async (pool: pg.Pool): Promise<number> =>
  (await pool.query("select count(*)::int as count from pg_class where relkind in ('i', 'I')")).rows[0]
    ?.count;

/** A transaction that has written to `blocks`, and a way to end it. */
async function holdWriter(pool: pg.Pool): Promise<{ pid: number; end(): Promise<void> }> {
  const client = await pool.connect();
  const { rows } = await client
    .query("begin; update blocks set size = size where number = 1; select pg_backend_pid() as pid")
    .then((results) => (results as unknown as pg.QueryResult[]).at(-1) ?? { rows: [] });
  return {
    pid: rows[0]?.pid,
    async end() {
      await client.query("rollback");
      client.release();
    },
  };
}

for (const partitionBlocks of [0, 7]) {
  const layout = partitionBlocks === 0 ? "plain tables" : "partitions";

  test(`the usual indexes are built on ${layout}, once, and found by queries; --list and --json tell of them`, async (t) => {
    const { pool, index } = await setPlace(t, { partitionBlocks });
    // Somebody's own, which does as well.
    if (partitionBlocks === 0) {
      await pool.query("alter table transactions add constraint transactions_hash_key unique (hash)");
    }
    const first = await index();
    assert.equal(first.code, 0, first.stderr);
    const hash = partitionBlocks === 0 ? "there already as transactions_hash_key" : "built in \\d";
    assert.deepEqual(
      first.stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(":")[0]),
      usual.map(({ name }) => name),
    );
    assert.match(first.stdout, new RegExp(`^transactions_hash: ${hash}.*, \\d+\\.\\d MB$`, "m"));
    assert.match(first.stdout, /^logs_topic0: built in \d\.\d s, \d+\.\d MB$/m);
    assert.match(first.stderr, /^logs_topic0.*: begins \(\d+ % of all.*\)$/m);
    await assertBuilt(
      pool,
      usual.map(({ name }) => name),
    );
    const count = await indexCount(pool);

    const again = await index("--json");
    assert.equal(again.code, 0, again.stderr);
    const told = again.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      told.map(({ index, state, built }) => [index, state, built]),
      usual.map(({ name }) => [name, "built", false]),
    );
    assert.ok(told.every(({ bytes }) => bytes > 0));
    assert.equal(await indexCount(pool), count, "nothing was built twice");
    for (const { name, table, columns, where } of usual) {
      const condition = [
        `${columns[0]} = ${columns[0] === "timestamp" ? "now()" : "'\\x00'"}`,
        ...(where ? [where] : []),
      ];
      const used =
        partitionBlocks === 0
          ? name === "transactions_hash"
            ? "transactions_hash_key"
            : name
          : `${table}_7_${columns.join("_")}_idx`;
      assert.match(
        await plan(pool, `select * from ${table} where ${condition.join(" and ")}`),
        new RegExp(`${used}\\b`),
        name,
      );
    }

    const list = await index("--list");
    assert.equal(list.code, 0, list.stderr);
    assert.match(list.stdout, /^ {2}logs_topic0 +usual +events of one kind, of every contract +there +\d/m);
    assert.match(list.stdout, /^ {2}logs_topic1 +events by their first indexed argument$/m);
  });

  test(`an index is removed from ${layout} by name, and only that`, async (t) => {
    const { pool, index } = await setPlace(t, { partitionBlocks });
    const before = await indexCount(pool);
    assert.equal((await index("logs_topic1", "logs_topic2")).code, 0);
    const { code, stdout, stderr } = await index("--drop", "logs_topic1", "logs_topic3");
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "logs_topic1: removed\nlogs_topic3: was not there\n");
    await assertBuilt(pool, ["logs_topic2"]);
    assert.equal((await index("--drop", "--all")).code, 0);
    assert.equal(await indexCount(pool), before);
  });

  test(`a build on ${layout} that was killed is built again, and what it left is gone`, async (t) => {
    const { pool, env, index } = await setPlace(t, { partitionBlocks });
    // Where there are partitions, it is the third of them that the writer is in the way of.
    const writer = await pool.connect();
    const number = partitionBlocks === 0 ? 1 : 15;
    await writer.query("begin");
    const table = partitionBlocks === 0 ? "logs" : "logs_14";
    await writer.query(`update ${table} set data = data where block_number = ${number}`);
    const killed = await startBlockmill(["index", "logs_topic1"], env);
    const building = () =>
      pool.query(
        "select pid from pg_stat_progress_create_index where phase like 'waiting for writers%' and relid = $1::regclass",
        [table],
      );
    const { pid } = await until(async () => (await building()).rows[0], "the build to wait for the writer");
    killed.child.kill("SIGKILL");
    await killed.ended;
    await until(
      async () => (await pool.query("select from pg_stat_activity where pid = $1", [pid])).rows.length === 0,
      "its session to end",
    );
    const left = await pool.query(
      "select indexrelid::regclass::text as name from pg_index where not indisvalid order by 1",
    );
    assert.deepEqual(
      left.rows.map(({ name }) => name),
      partitionBlocks === 0 ? ["logs_topic1"] : ["logs_14_topic1_idx", "logs_topic1"],
    );
    const list = await index("--list");
    assert.match(list.stdout, /^ {2}logs_topic1 .* unfinished/m);
    if (partitionBlocks > 0) assert.match(list.stdout, /unfinished \(2 of 3 partitions\)/);
    await writer.query("rollback");
    writer.release();
    const { code, stdout, stderr } = await index("logs_topic1");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^logs_topic1: built/);
    await assertBuilt(pool, ["logs_topic1"]);
    const names = await pool.query(
      "select count(*)::int as count from pg_class where relname ~ '^logs.*topic1' and relkind in ('i', 'I')",
    );
    assert.equal(names.rows[0]?.count, partitionBlocks === 0 ? 1 : 4);
  });

  test(`two at once on ${layout} both succeed, and one waits for the other without being waited for`, async (t) => {
    const { pool, env } = await setPlace(t, { partitionBlocks });
    const writer = await holdWriter(pool);
    const first = await startBlockmill(["index", "blocks_timestamp"], env);
    await first.line(/waiting for writers|waits for a transaction/);
    const second = await startBlockmill(["index"], env);
    await second.line(/another blockmill index is at work on this schema; waiting for it/);
    await writer.end();
    for (const { ended } of [first, second]) {
      const { code, stderr } = await ended;
      assert.equal(code, 0, stderr);
    }
    await assertBuilt(
      pool,
      usual.map(({ name }) => name),
    );
  });

  test(`SIGINT ends a build on ${layout} that waits, says so, and the same command goes on`, async (t) => {
    const { pool, env, index } = await setPlace(t, { partitionBlocks });
    const writer = await holdWriter(pool);
    const interrupted = await startBlockmill(["index", "blocks_hash"], env);
    await interrupted.line(/waiting for writers|waits for a transaction/);
    interrupted.child.kill("SIGINT");
    const { code, stderr } = await interrupted.ended;
    assert.equal(code, 130, stderr);
    assert.match(stderr, /^blockmill: interrupted: what is finished stays, and the same command goes on\n$/m);
    await writer.end();
    assert.equal((await index("blocks_hash")).code, 0);
    await assertBuilt(pool, ["blocks_hash"]);
  });

  test(`a daemon commits on ${layout} all the while: no block fails, and partitions that are made meanwhile have the index`, async (t) => {
    const scene = await setScene(t, { node: { head: 5_000 }, partitionBlocks: partitionBlocks * 4 });
    const daemon = await scene.start();
    let last = 0;
    const more = async (blocks: number) => {
      await scene.insert(last + 1, last + blocks);
      last += blocks;
      const stored = async () =>
        (await scene.pool.query("select from blocks where number = $1", [last])).rows.length > 0;
      await until(stored, `block ${last}`);
    };
    await more(60);
    const program = await startBlockmill(["index"], { BLOCKMILL_DATABASE_URL: scene.databaseUrl });
    let ended = false;
    const index = program.ended.finally(() => {
      ended = true;
    });
    while (!ended && last < 4_900) await more(20);
    const { code, stderr } = await index;
    assert.equal(code, 0, stderr);
    t.diagnostic(`${last - 60} blocks were committed meanwhile`);
    const jobs = await scene.settled();
    assert.ok(
      jobs.every(({ attempts }) => attempts === 1),
      "a block failed",
    );
    await daemon.stop();
    await assertBuilt(
      scene.pool,
      usual.map(({ name }) => name),
    );
    if (partitionBlocks > 0) {
      await scene.pool.query("select create_chain_partition(7000)");
      await assertBuilt(
        scene.pool,
        usual.map(({ name }) => name),
      );
    }
  });
}

test("a transaction that stays open keeps the build waiting, and commits only for moments", async (t) => {
  const { pool, env } = await setPlace(t, { partitionBlocks: 7 });
  const reader = await holdWriter(pool);
  const program = await startBlockmill(["index", "blocks_hash"], env);
  const line = await program.line(/blocks_hash: waits for a transaction that uses the table/);
  assert.ok(line);
  const writer = await pool.connect();
  try {
    await writer.query("set lock_timeout = '2s'");
    for (let i = 0; i < 30; i += 1) await writer.query("update blocks set size = size where number = 8");
  } finally {
    writer.release(true);
  }
  assert.deepEqual((await pool.query("select to_regclass('blocks_hash') as made")).rows, [{ made: null }]);
  await reader.end();
  assert.equal((await program.ended).code, 0);
  await assertBuilt(pool, ["blocks_hash"]);
});

test("progress names the process that a build waits for", async (t) => {
  const { pool, env } = await setPlace(t);
  const writer = await holdWriter(pool);
  const program = await startBlockmill(["index", "blocks_hash"], env);
  await program.line(
    new RegExp(
      `blocks_hash on blocks: waiting for writers before build \\(process ${writer.pid}\\) \\(0 % of all\\)`,
    ),
  );
  await writer.end();
  assert.equal((await program.ended).code, 0);
});

test("a build whose server goes away says so, with exit code 69", async (t) => {
  const { pool, env } = await setPlace(t);
  const writer = await holdWriter(pool);
  const program = await startBlockmill(["index", "blocks_hash"], env);
  await program.line(/waiting for writers/);
  await pool.query("select pg_terminate_backend(pid) from pg_stat_progress_create_index");
  const { code, stderr } = await program.ended;
  assert.equal(code, 69, stderr);
  assert.match(stderr, /^blockmill: PostgreSQL.*terminat/m);
  await writer.end();
});

test("who does not own the tables is told who does, and may still look", async (t) => {
  const { chain, pool } = await setPlace(t);
  const role = `mill_${randomBytes(4).toString("hex")}`;
  await pool.query(`create role ${role} login password 'p'`);
  try {
    const granted = await blockmill(["grant", "--worker", role], {
      BLOCKMILL_DATABASE_URL: chain.database.url,
    });
    assert.equal(granted.code, 0, granted.stderr);
    const url = new URL(chain.database.url);
    Object.assign(url, { username: role, password: "p" });
    const env = { BLOCKMILL_DATABASE_URL: url.href };
    for (const args of [[], ["logs_topic1"], ["--drop", "logs_topic1"]]) {
      const { code, stdout, stderr } = await blockmill(["index", ...args], env);
      assert.equal(code, 78, stdout);
      assert.match(
        stderr,
        new RegExp(
          `^blockmill: database.url: the role "${role}" does not own the table "\\w+": run blockmill index as "\\w+"\n$`,
        ),
      );
    }
    const list = await blockmill(["index", "--list"], env);
    assert.equal(list.code, 0, list.stderr);
  } finally {
    await pool.query(`drop owned by ${role}; drop role ${role}`);
  }
});

test("what cannot be meant is refused with exit code 2, and another index of the same name is left alone", async (t) => {
  const { pool, index } = await setPlace(t);
  await pool.query("create index logs_topic1 on logs (transaction_index)");
  for (const [args, complaint] of [
    [["nothing"], /nothing: there is no such index; --list shows them all/],
    [["logs_topic1", "--all"], /expected no names beside it/],
    [["--drop"], /--drop: expected names, or --all/],
    [["--drop", "--list"], /--list: expected no --drop beside it/],
    [["logs_topic1"], /logs_topic1 is there already, and is another index/],
    [["--drop", "logs_topic1"], /logs_topic1 is another index: it is not blockmill's to drop/],
  ] as const) {
    const { code, stderr } = await index(...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, complaint);
  }
  const { rows } = await pool.query("select pg_get_indexdef('logs_topic1'::regclass) as definition");
  assert.match(rows[0]?.definition, /\(transaction_index\)/);
});
