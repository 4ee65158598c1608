import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type pg from "pg";
import { blockmill } from "../cli/blockmill.js";
import { setScene, until } from "../daemon/scene.js";
import { storedRows } from "../support/stored-block.js";
import { type StoredChain, useStoredChain } from "./stored-chain.js";

const chainTables = "blocks, transactions, logs, withdrawals, token_transfers";

function command(url: string, ...args: string[]) {
  return blockmill(["verify", ...args], { BLOCKMILL_DATABASE_URL: url });
}

const verify = ({ database }: StoredChain, ...args: string[]) => command(database.url, ...args);

interface Line {
  block?: number;
  field?: string;
  table?: string;
  expected?: string;
  actual?: string;
  summary?: Record<string, unknown>;
}

const linesOf = (stdout: string): Line[] =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

async function everyRow(pool: pg.Pool) {
  const client = await pool.connect();
  try {
    return await storedRows(client, null);
  } finally {
    client.release();
  }
}

test("verify proves what is stored, and ends with exit code 0", async (t) => {
  const chain = await useStoredChain(t);
  assert.match((await verify(chain)).stdout, /^Nothing is stored\.\n$/);
  await chain.store(3, 22);
  const { code, stdout } = await verify(chain);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^20 blocks proven, 0 wrong, 0 missing, in .* s, .* blocks\/s\.\n$/);
  for (const [args, proven] of [
    [["5"], 1],
    [["5", "9"], 5],
    [["--sample", "7"], 7],
    [["20", "90"], 3],
    [["--no-senders"], 20],
  ] as [string[], number][]) {
    const { code, stdout } = await verify(chain, ...args, "--json");
    assert.equal(code, 0, stdout);
    const [{ summary } = {}] = linesOf(stdout);
    assert.equal(summary?.proven, proven, args.join(" "));
  }
});

test("verify names what is wrong, and ends with exit code 1", async (t) => {
  const chain = await useStoredChain(t);
  await chain.store(0, 9);
  await chain.pool.query(
    "update logs set data = set_byte(data, 0, get_byte(data, 0) # 1) where block_number = 4 and log_index = 0",
  );
  await chain.pool.query("update blocks set size = size + 1 where number = 6");
  await chain.pool.query(
    "update transactions set block_number = -5 where block_number = 8 and transaction_index = 4",
  );
  for (const table of chainTables.split(", "))
    await chain.pool.query(
      `delete from ${table} where ${table === "blocks" ? "number" : "block_number"} = 2`,
    );

  const { code, stdout } = await verify(chain);
  assert.equal(code, 1);
  assert.match(stdout, /^block 2: missing, though the queue says stored$/m);
  assert.match(
    stdout,
    /^block 4: receiptsRoot \(transactions, logs\): expected 0x[0-9a-f]{64}, got 0x[0-9a-f]{64}$/m,
  );
  assert.match(stdout, /^block 6: digest: its rows are not those that were written$/m);
  assert.match(stdout, /^block 8: transaction_count \(blocks\): expected 4, got 5$/m);
  assert.match(stdout, /^transactions: 1 row with a number that no block has$/m);
  assert.match(stdout, /^6 blocks proven, 3 wrong, 1 missing, in /m);
  assert.match(stdout, /--repair/);

  const json = await verify(chain, "--json");
  assert.equal(json.code, 1);
  const lines = linesOf(json.stdout);
  const size = lines.find(({ block }) => block === 6);
  assert.deepEqual([size?.table, size?.field], ["blocks", "digest"]);
  assert.match(size?.expected ?? "", /^0x[0-9a-f]{64}$/);
  const { summary } = lines.at(-1) ?? {};
  assert.deepEqual([summary?.proven, summary?.wrong, summary?.missing], [6, 3, 1]);

  assert.equal((await verify(chain, "5", "7", "--sample", "3", "--json")).code, 1);
  assert.equal((await verify(chain, "3", "3")).code, 0);
});

test("verify refuses what it cannot understand, and says what it cannot reach", async () => {
  const unreachable = "postgres://nobody@127.0.0.1:1/nothing";
  assert.equal((await command(unreachable, "9", "3")).code, 2);
  assert.equal((await command(unreachable, "--sample", "0")).code, 2);
  assert.equal((await command(unreachable)).code, 69);
});

/** Damage of every kind that can be repaired. */
async function damage(pool: pg.Pool): Promise<void> {
  await pool.query(
    "update transactions set value = value + 1 where block_number = 2 and transaction_index = 0",
  );
  await pool.query("update blocks set hash = sha256(hash) where number = 4");
  await pool.query("update blocks set parent_hash = sha256(hash) where number = 7");
  await pool.query("delete from blocks where number = 9");
  await pool.query("delete from logs where block_number = 11");
  for (const table of chainTables.split(", "))
    await pool.query(
      `delete from ${table} where ${table === "blocks" ? "number" : "block_number"} between 13 and 15`,
    );
  await pool.query("update token_transfers set block_number = 4711 where block_number = 17");
  await pool.query(
    "update withdrawals set block_number = -1 where ctid = (select max(ctid) from withdrawals where block_number = 19)",
  );
}

/** A scene with blocks 1 to 20 stored by the program itself, then damaged, then verified with --repair. */
async function repairedScene(t: TestContext) {
  const scene = await setScene(t, { node: { head: 30 } });
  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl, BLOCKMILL_RPC_URLS: scene.node.urls.join(",") };
  const range = () => blockmill(["range", "1", "20", "--workers", "2"], env);
  assert.equal((await range()).code, 0);
  await scene.pool.query(
    `with gone as (delete from processing_jobs where status = 'completed' and block_number > 10 returning block_number)
     update processing_coverage set blocks = (select range_agg(int8range(block_number, block_number + 1)) from gone)`,
  );
  const before = await everyRow(scene.pool);
  const clean = await command(scene.databaseUrl);
  assert.equal(clean.code, 0, clean.stdout);
  await damage(scene.pool);
  const { code, stdout } = await command(scene.databaseUrl, "--repair");
  assert.equal(code, 1);
  assert.match(stdout, /enqueued again: a running daemon takes them at once/);
  return { ...scene, range, before };
}

async function assertRepaired({ pool, databaseUrl, before }: Awaited<ReturnType<typeof repairedScene>>) {
  const { code, stdout } = await command(databaseUrl);
  assert.equal(code, 0, stdout);
  assert.deepEqual(await everyRow(pool), before);
}

test("verify --repair lets `range` make the rows what they were", async (t) => {
  const scene = await repairedScene(t);
  const gaps = await blockmill(["gaps", "1", "20"], { BLOCKMILL_DATABASE_URL: scene.databaseUrl });
  assert.match(gaps.stdout, /^ +13 +to 15 +3$/m, "what is missing is no longer said to be stored");
  const ended = await scene.range();
  assert.equal(ended.code, 0, `${ended.stdout}${ended.stderr}`);
  await assertRepaired(scene);
});

test("verify --repair lets a daemon make the rows what they were", async (t) => {
  const scene = await repairedScene(t);
  await scene.start();
  await scene.settled({ statuses: ["completed", "failed"] });
  await assertRepaired(scene);
});

test("blocks of another branch are fetched again, whichever of them comes first", async (t) => {
  const scene = await setScene(t, { node: { head: 30 } });
  await scene.start({ pipeline: { workers: 1, max_attempts: 20 } });
  await scene.insert(1, 9);
  await scene.settled();
  const before = await everyRow(scene.pool);
  const other = await useStoredChain(t, { seed: 2, transactions: 2, logsPerTransaction: 1 });
  const client = await scene.pool.connect();
  try {
    const { writeBlocks } = await import("../../src/store/write-blocks.js");
    await writeBlocks(client, [other.encoded(other.parsed(5))]);
  } finally {
    client.release();
  }
  const { code, stdout } = await command(scene.databaseUrl, "--repair");
  assert.equal(code, 1);
  assert.match(stdout, /^block 5: parent_hash \(blocks\)/m);
  await scene.settled();
  assert.equal((await command(scene.databaseUrl)).code, 0);
  assert.deepEqual(await everyRow(scene.pool), before);
});

test("nothing is found while a daemon commits, reorgs and fetches again", async (t) => {
  const scene = await setScene(t, { node: { head: 40, transactions: 3 } });
  await scene.start({ pipeline: { auto_enqueue: true, check_interval: 0.1 }, chain: { start_block: 1 } });
  await until(
    async () => (await scene.pool.query("select from blocks")).rows.length > 20,
    "blocks to be stored",
  );
  const ending = new AbortController();
  const restless = (async () => {
    for (let round = 0; !ending.signal.aborted; round += 1) {
      if (round % 4 === 3) await scene.node.reorg({ depth: 3, length: 5 });
      else await scene.node.mine(3);
      await scene.pool.query(
        `update processing_jobs set status = 'pending', run_at = now(), attempts = 0, completed_at = null
         where status = 'completed' and block_number % 7 = $1`,
        [round % 7],
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  try {
    for (let round = 0; round < 4; round += 1) {
      const { code, stdout } = await command(scene.databaseUrl, "--json");
      assert.equal(code, 0, stdout);
      const { summary } = linesOf(stdout).at(-1) ?? {};
      t.diagnostic(`${summary?.proven} blocks proven`);
    }
  } finally {
    ending.abort();
    await restless;
  }
  const reorgs = await scene.pool.query("select from reorgs");
  t.diagnostic(`${reorgs.rows.length} reorgs`);
  assert(reorgs.rows.length > 0);
});
