import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { partitionSchema } from "../../src/db/partitioned-schema.js";
import { createPool } from "../../src/db/pool.js";
import { MissingPartitionError } from "../../src/errors.js";
import { createPartitions } from "../../src/store/partitions.js";
import { blockmill } from "../cli/blockmill.js";
import { readCatalog } from "../cli/catalog.js";
import { createDatabase, emptyDatabase, type TestDatabase } from "../support/database.js";
import { projectRoot } from "../support/project.js";
import { partitionsOf } from "./partition-names.js";

const tables = ["blocks", "logs", "token_transfers", "transactions", "withdrawals"];

async function emptyPlace(t: TestContext) {
  const database = await emptyDatabase();
  t.after(() => database.drop());
  const init = (...settings: string[]) =>
    blockmill(["init", ...settings.flatMap((setting) => ["--set", setting])], {
      BLOCKMILL_DATABASE_URL: database.url,
    });
  return { database, init };
}

async function partitioned(t: TestContext, partitionBlocks = 7): Promise<TestDatabase> {
  const database = await createDatabase({ partitionBlocks });
  t.after(() => database.drop());
  return database;
}

/** A pool as blockmill has it, gone with the test; to be made after the database. */
function ownPool(t: TestContext, url: string): pg.Pool {
  const timeouts = { connectTimeoutMs: 10_000, statementTimeoutMs: 60_000 };
  const pool = createPool({
    url,
    schema: "public",
    applicationName: "blockmill-test",
    min: 0,
    max: 4,
    ...timeouts,
  });
  t.after(() => pool.end());
  return pool;
}

/** The least that a row of blocks must have. */
const insertBlock = `
  insert into blocks (number, hash, parent_hash, timestamp, miner, gas_limit, gas_used, extra_data, logs_bloom, state_root,
    transactions_root, receipts_root, sha3_uncles, uncles, transaction_count, log_count)
  select $1::bigint, b, b, now(), b, 0, 0, b, b, b, b, b, b, '{}', 0, 0 from (select '\\x00'::bytea as b) as bytes`;

test("init with database.partition_blocks differs from schema.sql in the partitions and the layout's row, and in nothing else", async (t) => {
  const { database, init } = await emptyPlace(t);
  const plain = await createDatabase({ partitionBlocks: 0 });
  t.after(() => plain.drop());
  const { code, stdout, stderr } = await init("database.partition_blocks=500000");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'The schema "public" is ready, at version 2, in partitions of 500,000 blocks.\n');

  const [is, was] = [await readCatalog(database.url), await readCatalog(plain.url)];
  const keyOf: Record<string, string> = { blocks: "number" };
  const { rows } = await database.pool.query(
    "select partrelid::regclass::text as table, pg_get_partkeydef(partrelid) as key from pg_partitioned_table where partrelid <> 'processing_history'::regclass order by 1",
  );
  assert.deepEqual(
    rows,
    tables.map((table) => ({ table, key: `RANGE (${keyOf[table] ?? "block_number"})` })),
  );
  const asPlain = (row: Record<string, unknown>) =>
    tables.includes(String(row.relname)) && row.relkind === "p" ? { ...row, relkind: "r" } : row;
  assert.deepEqual(is.tables.map(asPlain), was.tables);
  for (const kind of ["columns", "triggers", "functions", "views"] as const)
    assert.deepEqual(is[kind], was[kind], kind);
  assert.deepEqual(is.constraints, was.constraints);
  const names = (rows: Record<string, unknown>[]) =>
    rows.map(({ definition }) => String(definition).replace(" ON ONLY ", " ON ")).sort();
  assert.deepEqual(names(is.indexes), names(was.indexes));
  const layout = async (pool: pg.Pool) =>
    (await pool.query("select partition_blocks::int as blocks from chain_layout")).rows[0]?.blocks;
  assert.deepEqual([await layout(database.pool), await layout(plain.pool)], [500_000, 0]);
});

test("a second init keeps the partitions, also when it does not repeat the setting, and so does schema.sql by hand", async (t) => {
  const { database, init } = await emptyPlace(t);
  assert.equal((await init("database.partition_blocks=7")).code, 0);
  await database.pool.query("select create_chain_partition(14)");
  const before = await readCatalog(database.url);
  for (const settings of [["database.partition_blocks=7"], []]) {
    const again = await init(...settings);
    assert.equal(again.code, 0, again.stderr);
    assert.equal(
      again.stdout,
      'The schema "public" is there already, at version 2, in partitions of 7 blocks.\n',
    );
  }
  await database.pool.query(readFileSync(`${projectRoot}schema.sql`, "utf8"));
  assert.deepEqual(await readCatalog(database.url), before);
  const { rows } = await database.pool.query("select partition_blocks::int as blocks from chain_layout");
  assert.deepEqual(rows, [{ blocks: 7 }]);
});

test("init says that tables that are there cannot be laid out otherwise, exits with 78 and changes nothing", async (t) => {
  const { database, init } = await emptyPlace(t);
  assert.equal((await init()).code, 0);
  assert.equal((await init("database.schema=parts", "database.partition_blocks=7")).code, 0);
  const before = [await readCatalog(database.url), await readCatalog(database.url, "parts")];
  for (const [settings, complaint] of [
    [
      ["database.partition_blocks=7"],
      /^blockmill: database.partition_blocks: 7 is asked for, but the tables of the schema "public" are there and are not partitioned\. .*init another schema.*docs\/OPERATIONS\.md\n$/,
    ],
    [
      ["database.schema=parts", "database.partition_blocks=8"],
      /8 is asked for, .* "parts" are there and are partitioned by 7 blocks\. .* either set 7, or init another schema/,
    ],
    [["database.schema=parts", "database.partition_blocks=0"], /0 is asked for, .* partitioned by 7 blocks/],
  ] as const) {
    const refused = await init(...settings);
    assert.equal(refused.code, 78, refused.stdout);
    assert.match(refused.stderr, complaint);
  }
  assert.deepEqual([await readCatalog(database.url), await readCatalog(database.url, "parts")], before);
});

test("four inits of the same new partitioned schema at once all succeed", async (t) => {
  const { database, init } = await emptyPlace(t);
  const runs = await Promise.all(
    Array.from({ length: 4 }, () => init("database.schema=s", "database.partition_blocks=9")),
  );
  for (const { code, stderr } of runs) assert.equal(code, 0, stderr);
  const { rows } = await database.pool.query("select partition_blocks::int as blocks from s.chain_layout");
  assert.deepEqual(rows, [{ blocks: 9 }]);
});

test("partitions are made once by many at once, in all five tables, and only where blocks can begin one", async (t) => {
  const database = await partitioned(t);
  const pool = ownPool(t, database.url);
  const all = Array.from({ length: 8 }, () => createPartitions(pool));
  await Promise.all(all.map((each) => each.prepare([0, 6, 7, 13, 14, 20, 9_007_199_254_740_991])));
  assert.deepEqual(await partitionsOf(database.pool), [
    0,
    7,
    14,
    9_007_199_254_740_991 - (9_007_199_254_740_991 % 7),
  ]);
  for (const first of ["8", "-7", "null"])
    await assert.rejects(database.pool.query(`select create_chain_partition(${first})`), { code: "22023" });
  const plain = await createDatabase({ partitionBlocks: 0 });
  t.after(() => plain.drop());
  await assert.rejects(plain.pool.query("select create_chain_partition(0)"), { code: "55000" });
});

test("a partition is made while others write and read, and keeps nobody waiting", async (t) => {
  const database = await partitioned(t);
  await database.pool.query("select create_chain_partition(0)");
  const [writer, reader, maker] = [
    await database.pool.connect(),
    await database.pool.connect(),
    await database.pool.connect(),
  ];
  try {
    await writer.query("begin");
    await writer.query(insertBlock, [1]);
    await reader.query("begin isolation level repeatable read");
    await reader.query("select count(*) from blocks");
    // Would time out if it waited for either of them.
    await maker.query("set lock_timeout = '2s'; begin");
    await maker.query("select create_chain_partition(7)");
    // And they go on while the one who makes it has not committed yet.
    await writer.query("set lock_timeout = '2s'");
    await writer.query(insertBlock, [2]);
    await reader.query("set lock_timeout = '2s'");
    await reader.query("select max(number) from blocks");
    await maker.query("commit");
    await writer.query(insertBlock, [8]);
    await writer.query("commit");
    await reader.query("commit");
  } finally {
    for (const client of [writer, reader, maker]) client.release(true);
  }
  const { rows } = await database.pool.query(
    "select tableoid::regclass::text as part, number::int from blocks order by 2",
  );
  assert.deepEqual(rows, [
    { part: "blocks_0", number: 1 },
    { part: "blocks_0", number: 2 },
    { part: "blocks_7", number: 8 },
  ]);
});

test("partitions are made for the schema that the function is in, whatever it is called now and wherever a search_path leads", async (t) => {
  const { database } = await emptyPlace(t);
  const text = readFileSync(`${projectRoot}schema.sql`, "utf8");
  const [old, now] = ['Chain "1"', 'now; $& "2"'].map(pg.escapeIdentifier);
  const client = await database.pool.connect();
  try {
    await client.query(`create schema ${old}; set search_path = ${old}; ${partitionSchema(text, 7)}`);
    await client.query(
      `alter schema ${old} rename to ${now}; set search_path = public; ${partitionSchema(text, 9)}`,
    );
    await client.query(`select ${now}.create_chain_partition(7)`);
    await client.query("create temp table blocks (number bigint)");
    await client.query("set search_path = pg_temp, public");
    await client.query("select create_chain_partition(9)");
    const { rows } = await client.query(
      `select nspname as schema, relname as name from pg_class join pg_namespace on pg_namespace.oid = relnamespace
       where relname ~ '^blocks_[0-9]' and relkind = 'r' order by 2`,
    );
    assert.deepEqual(rows, [
      { schema: 'now; $& "2"', name: "blocks_7" },
      { schema: "public", name: "blocks_9" },
    ]);
  } finally {
    client.release(true);
  }
});

test("a worker makes partitions and nothing else; an injector and a reader make none, and a reader sees what a backup names", async (t) => {
  const database = await partitioned(t);
  const suffix = randomBytes(4).toString("hex");
  const [worker, injector, reader] = [`worker_${suffix}`, `injector_${suffix}`, `reader_${suffix}`] as const;
  const roles = [worker, injector, reader];
  const clients: pg.Client[] = [];
  for (const role of roles) await database.pool.query(`create role ${role} login password 'p'`);
  t.after(() => Promise.all(clients.map((client) => client.end())));
  try {
    const env = { BLOCKMILL_DATABASE_URL: database.url };
    await database.pool.query("select create_chain_partition(0)");
    const granted = await blockmill(
      ["grant", "--worker", worker, "--injector", injector, "--reader", reader],
      env,
    );
    assert.equal(granted.code, 0, granted.stderr);
    const connect = async (role: string) => {
      const url = new URL(database.url);
      Object.assign(url, { username: role, password: "p" });
      const client = new pg.Client({ connectionString: url.href, application_name: "blockmill-test" });
      await client.connect();
      clients.push(client);
      return client;
    };
    const [asWorker, asInjector, asReader] = [
      await connect(worker),
      await connect(injector),
      await connect(reader),
    ];
    await asWorker.query("select create_chain_partition(7)");
    await asWorker.query(insertBlock, [8]);
    await asWorker.query("delete from blocks where number = 8");
    for (const part of [...tables.map((table) => `${table}_0`), ...tables.map((table) => `${table}_7`)]) {
      await asReader.query(`select from ${part}`);
      await asWorker.query(`select from ${part}`);
      await assert.rejects(asInjector.query(`select from ${part}`), { code: "42501" });
    }
    const refused: [pg.Client, string[]][] = [
      [
        asWorker,
        [
          "select chain_partition('chain_layout', 14)",
          "create table mine (a int)",
          "drop table blocks_7",
          "truncate blocks",
          "update chain_layout set partition_blocks = 9",
          "alter table blocks detach partition blocks_7",
        ],
      ],
      [asInjector, ["select create_chain_partition(14)", "select chain_partition('chain_layout', 14)"]],
      [
        asReader,
        [
          "select create_chain_partition(14)",
          "select chain_partition('chain_layout', 14)",
          "delete from blocks_7",
        ],
      ],
    ];
    for (const [client, statements] of refused)
      for (const statement of statements)
        await assert.rejects(client.query(statement), { code: "42501" }, statement);
    // A grant that is taken back is taken back from the partitions too.
    assert.equal((await blockmill(["grant", "--injector", reader, "--reader", worker], env)).code, 0);
    await assert.rejects(asReader.query("select from blocks_7"), { code: "42501" });
    await assert.rejects(asWorker.query("select create_chain_partition(14)"), { code: "42501" });
  } finally {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    for (const role of roles) await database.pool.query(`drop owned by ${role}; drop role ${role}`);
  }
});

test("a row without a partition is nobody's fault, a row that breaks a check still is", async (t) => {
  const database = await partitioned(t);
  const pool = ownPool(t, database.url);
  const partitions = createPartitions(pool);
  await partitions.prepare([3]);
  await pool.query("drop table blocks_0");
  await partitions.prepare([3]);
  await assert.rejects(
    pool.query(insertBlock, [3]),
    (error) => error instanceof MissingPartitionError && error.disposition === "wait",
  );
  partitions.forget();
  await partitions.prepare([3]);
  await pool.query(insertBlock, [3]);
  await assert.rejects(pool.query("update blocks set digest = '\\x00'"), { disposition: "fatal-job" });
});

test("another table in a partition's place is told, and nothing is made beside it", async (t) => {
  const database = await partitioned(t);
  await database.pool.query("create table logs_7 (a int)");
  await assert.rejects(
    database.pool.query("select create_chain_partition(7)"),
    /relation "logs_7" already exists/,
  );
  assert.deepEqual(await partitionsOf(database.pool), []);
});
