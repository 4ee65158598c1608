import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { blockmill } from "../cli/blockmill.js";
import { setScene } from "../daemon/scene.js";
import { storedRows } from "../support/stored-block.js";
import { writeBlocks } from "../support/write-blocks.js";
import { useStoredChain } from "./stored-chain.js";
import { removeBlocks, verify } from "./verify-command.js";

async function everyRow(pool: pg.Pool) {
  const client = await pool.connect();
  try {
    return await storedRows(client, null);
  } finally {
    client.release();
  }
}

/** Damage of every kind that can be repaired. */
async function damage(pool: pg.Pool): Promise<void> {
  await pool.query(
    "update transactions set value = value + 1 where block_number = 2 and transaction_index = 0",
  );
  await pool.query("update blocks set hash = sha256(hash) where number = 4");
  await pool.query("update blocks set parent_hash = sha256(hash) where number = 7");
  await pool.query("delete from blocks where number = 9");
  await pool.query("delete from logs where block_number = 11");
  await removeBlocks(pool, 13, 15);
  await pool.query("update token_transfers set block_number = 4711 where block_number = 17");
  await pool.query(
    "update withdrawals set block_number = -1 where ctid = (select max(ctid) from withdrawals where block_number = 19)",
  );
}

/** Archives the newer half of the completed jobs, so that both ways to know what is stored count. */
async function archiveSome(pool: pg.Pool): Promise<void> {
  await pool.query(
    `with gone as (delete from processing_jobs where status = 'completed' and block_number > 10 returning block_number)
     update processing_coverage set blocks = (select range_agg(int8range(block_number, block_number + 1)) from gone)`,
  );
}

/** Verifies with --repair what is damaged. */
async function repair(databaseUrl: string): Promise<void> {
  const { code, stdout } = await verify(databaseUrl, "--repair");
  assert.equal(code, 1);
  assert.match(stdout, /^10 blocks proven, 6 wrong, 4 missing, /m);
  assert.match(stdout, /^10 blocks enqueued again: a running daemon takes them at once/m);
}

async function assertProven(databaseUrl: string): Promise<void> {
  const { code, stdout } = await verify(databaseUrl);
  assert.equal(code, 0, stdout);
}

test("verify --repair lets `range` make the rows what they were", async (t) => {
  const scene = await setScene(t, { node: { head: 30 } });
  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl, BLOCKMILL_RPC_URLS: scene.node.urls.join(",") };
  const range = () => blockmill(["range", "1", "20", "--workers", "2"], env);
  assert.equal((await range()).code, 0);
  await archiveSome(scene.pool);
  const before = await everyRow(scene.pool);
  await damage(scene.pool);
  await repair(scene.databaseUrl);
  const gaps = await blockmill(["gaps", "1", "20"], env);
  assert.match(gaps.stdout, /^ +13 +to 15 +3$/m, "what is missing is no longer said to be stored");
  const ended = await range();
  assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
  assert.deepEqual(await everyRow(scene.pool), before);
  await assertProven(scene.databaseUrl);
});

test("verify --repair lets a running daemon make the rows what they were", async (t) => {
  // So far below the head that the orchestrator's own look at stored blocks does not reach them.
  const scene = await setScene(t);
  await scene.start();
  await scene.insert(1, 20);
  await scene.settled();
  await archiveSome(scene.pool);
  const before = await everyRow(scene.pool);
  await damage(scene.pool);
  await repair(scene.databaseUrl);
  await scene.settled();
  assert.deepEqual(await everyRow(scene.pool), before);
  await assertProven(scene.databaseUrl);
});

test("blocks of another branch are fetched again, whichever of them comes first", async (t) => {
  const scene = await setScene(t);
  await scene.start({ pipeline: { workers: 1, max_attempts: 20 } });
  await scene.insert(1, 9);
  await scene.settled();
  const before = await everyRow(scene.pool);
  const other = await useStoredChain(t, { seed: 2, transactions: 2, logsPerTransaction: 1 });
  const client = await scene.pool.connect();
  try {
    await writeBlocks(client, [other.encoded(other.parsed(5))]);
  } finally {
    client.release();
  }
  const { code, stdout } = await verify(scene.databaseUrl, "--repair");
  assert.equal(code, 1);
  assert.match(stdout, /^block 5: parent_hash \(blocks\)/m);
  await scene.settled();
  assert.deepEqual(await everyRow(scene.pool), before);
  await assertProven(scene.databaseUrl);
});
