// Blocks on both sides of a partition's boundary, by the real program.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import type pg from "pg";
import { BLOCK_TABLES } from "../../src/store/chain-tables.js";
import { deleteBlockNumbers, deleteBlocks } from "../../src/store/delete-blocks.js";
import { maxNumber } from "../../src/store/stored-numbers.js";
import { blockmill } from "../cli/blockmill.js";
import { numbers, setScene as setDaemonScene, until } from "../daemon/scene.js";
import { reorgsUndone, setScene as setReorgScene } from "../reorg/scene.js";
import { useStoredChain } from "../stored/stored-chain.js";
import { projectRoot } from "../support/project.js";
import { checkLinks, writeBlocks } from "../support/write-blocks.js";
import { partitionsOf } from "./partition-names.js";

const partitionBlocks = 7;

test("a daemon makes the partitions that its blocks need and no others, and a reorg across a boundary leaves the new branch alone", async (t) => {
  const scene = await setReorgScene(t, { node: { head: 30, transactions: 3 }, partitionBlocks });
  await scene.start();
  await scene.settled();
  assert.deepEqual(await partitionsOf(scene.pool), [0, 7, 14, 21, 28]);
  // The fork point is the last block of a partition, then the first, then it lies two partitions back.
  for (const [count, forkBlock] of [27, 28, 13].entries()) {
    const { number } = await scene.node.head();
    await scene.node.reorg({ depth: number - forkBlock, length: number - forkBlock + 1 });
    await reorgsUndone(scene, count + 1);
    await scene.settled();
  }
  const reorgs = await scene.reorgs();
  assert.deepEqual(
    reorgs.map(({ fork_block }) => fork_block),
    [27, 28, 13],
  );
  const { rows } = await scene.pool.query("select hash from transactions group by hash having count(*) > 1");
  assert.deepEqual(rows, [], "a transaction that is stored twice");
  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl };
  const proven = await blockmill(["verify"], env);
  assert.equal(proven.code, 0, proven.stdout);
  assert.match(proven.stdout, /34 blocks proven, 0 wrong, 0 missing/);
});

test("range, gaps, status, verify, repair and a forced range work across partitions, and a partition that was dropped is made again", async (t) => {
  const scene = await setDaemonScene(t, { node: { head: 60 }, partitionBlocks });
  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl, BLOCKMILL_RPC_URLS: scene.node.url };
  const run = async (args: string[], code = 0) => {
    const ended = await blockmill(args, env);
    assert.equal(ended.code, code, `${args.join(" ")}: ${ended.stdout}${ended.stderr}`);
    return ended.stdout;
  };
  await run(["range", "10", "50"]);
  assert.deepEqual(await partitionsOf(scene.pool), [7, 14, 21, 28, 35, 42, 49]);
  await run(["single", "3"]);
  assert.deepEqual(await partitionsOf(scene.pool), [0, 7, 14, 21, 28, 35, 42, 49]);
  assert.match(await run(["gaps", "0", "60"], 1), /^ +4 +to 9 +6$/m);
  assert.match(await run(["status"]), /42/);
  await run(["range", "12", "16", "--force"]);
  assert.match(await run(["verify"]), /42 blocks proven, 0 wrong, 0 missing/);

  // A person drops a partition while a daemon that knows it is at work.
  const daemon = await scene.start();
  await scene.insert(1, 2);
  await scene.settled();
  await scene.pool.query("drop table blocks_0, transactions_0, logs_0, withdrawals_0, token_transfers_0");
  assert.match(await run(["verify", "--repair"], 1), /3 missing/);
  const jobs = await scene.settled();
  assert.deepEqual(
    jobs
      .filter(({ block_number }) => block_number < 7)
      .map(({ block_number, attempts }) => [block_number, attempts]),
    [1, 2, 3].map((number) => [number, 1]),
    "it costs no attempt",
  );
  await daemon.stop();
  assert.match(await run(["verify"]), /44 blocks proven, 0 wrong, 0 missing/);

  // Rows of no block, on both sides of a boundary.
  await scene.pool.query("delete from blocks where number in (20, 21)");
  assert.match(await run(["verify"], 1), /20 to 21/);
  await run(["verify", "--repair"], 1);
  await run(["range", "20", "21"]);
  assert.match(await run(["verify"]), /44 blocks proven, 0 wrong, 0 missing/);
  const stored = await scene.pool.query("select number::int from blocks order by 1");
  assert.deepEqual(
    stored.rows.map(({ number }) => number),
    [1, 2, 3, ...numbers(10, 50)],
  );
});

const deleteAbove = (client: pg.PoolClient, number: number) =>
  deleteBlocks(client, { from: number + 1, to: maxNumber });

/** The first blocks of the partitions that `work` touches, by the locks that it leaves with its transaction. */
async function touchedBy(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<unknown>,
): Promise<number[]> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await work(client);
    const { rows } = await client.query<{ first: number }>(
      `select distinct substring(relname from '\\d+$')::int as first from pg_locks join pg_class on pg_class.oid = relation
       where pid = pg_backend_pid() and relkind = 'r' and relispartition and relname ~ '\\d+$' order by 1`,
    );
    return rows.map(({ first }) => first);
  } finally {
    await client.query("rollback");
    client.release();
  }
}

async function storeSixty(t: TestContext) {
  const chain = await useStoredChain(t, {}, { partitionBlocks });
  await chain.store(0, 60);
  return chain;
}

test("what is removed by number touches the partitions of these numbers alone", async (t) => {
  const { pool } = await storeSixty(t);
  assert.deepEqual(await touchedBy(pool, (client) => deleteAbove(client, 48)), [49, 56]);
  assert.deepEqual(await touchedBy(pool, (client) => deleteAbove(client, 47)), [42, 49, 56]);
  assert.deepEqual(await touchedBy(pool, (client) => deleteBlocks(client, { from: 14, to: 20 })), [14]);
  assert.deepEqual(await touchedBy(pool, (client) => deleteBlockNumbers(client, [6, 7])), [0, 7]);
});

test("commits go on touching the partitions of their blocks and neighbours alone, however often a session repeats them", async (t) => {
  const chain = await storeSixty(t);
  const blocks = [30, 31].map((number) => chain.encoded(chain.parsed(number)));
  // From the sixth execution of a prepared statement on PostgreSQL may choose a plan for any value.
  const touched = await touchedBy(chain.pool, async (client) => {
    for (let i = 0; i < 10; i += 1) {
      if (i === 9) await client.query("commit; begin");
      await checkLinks(client, blocks);
      await writeBlocks(client, blocks);
    }
  });
  assert.deepEqual(touched, [28]);
});

test("blocks above a boundary are removed from every table, and none below it", async (t) => {
  const chain = await storeSixty(t);
  const client = await chain.pool.connect();
  try {
    const { blocks } = await deleteAbove(client, 27);
    assert.equal(blocks, 33);
  } finally {
    client.release();
  }
  for (const { name, blockColumn } of Object.values(BLOCK_TABLES)) {
    const { rows } = await chain.pool.query(`select max(${blockColumn})::int as last from ${name}`);
    assert.ok((rows[0]?.last ?? 27) === 27, `${name}: ${rows[0]?.last}`);
  }
  assert.deepEqual(await chain.prove({ from: 0, to: 27 }), []);
});

test("tables are moved into partitions as the manual says, rows, jobs and coverage", async (t) => {
  const scene = await setDaemonScene(t, { node: { head: 40 } });
  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl, BLOCKMILL_RPC_URLS: scene.node.url };
  assert.equal((await blockmill(["range", "0", "30"], env)).code, 0);
  await scene.insert(35, 36);
  const there = ["--set", "database.schema=parts", "--set", "database.partition_blocks=7"];
  assert.equal((await blockmill(["init", ...there], env)).code, 0);
  await scene.pool.query(movingScript("public", "parts"));
  const proven = await blockmill(["verify", ...there], env);
  assert.equal(proven.code, 0, proven.stdout + proven.stderr);
  assert.match(proven.stdout, /31 blocks proven, 0 wrong, 0 missing/);
  assert.equal((await blockmill(["range", "0", "36", ...there], env)).code, 0);
  assert.match((await blockmill(["gaps", "0", "36", ...there], env)).stdout, /./);
  await until(
    async () => (await scene.pool.query("select from parts.blocks")).rows.length === 37,
    "all blocks",
  );
});

/** What docs/OPERATIONS.md says, for these two schemas. */
function movingScript(from: string, to: string): string {
  const text = readFileSync(`${projectRoot}docs/OPERATIONS.md`, "utf8");
  const script = /```sql\n(-- Into partitions[\s\S]+?)```/.exec(text)?.[1];
  assert.ok(script, "the manual has the script");
  return script.replaceAll("mainnet_parts.", `${to}.`).replaceAll("mainnet.", `${from}.`);
}
