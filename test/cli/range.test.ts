import assert from "node:assert/strict";
import { test } from "node:test";
import { startAnvil } from "../support/anvil.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { startFixture } from "../support/fixture.js";
import { waitFor } from "../support/process.js";
import { blockmill, startBlockmill } from "./blockmill.js";

// Attempts that fail are made again soon, and two workers are enough.
const quick = ["--set", "pipeline.backoff_seconds=0.01", "--set", "pipeline.backoff_max_seconds=0.02"];

async function storedBlocks({ pool }: TestDatabase): Promise<number[]> {
  const { rows } = await pool.query<{ number: string }>("select number from blocks order by number");
  return rows.map(({ number }) => Number(number));
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test("range stores every block of a real node's range, both ends included, and ends with 0", async (t) => {
  const [database, anvil] = await Promise.all([createDatabase(), startAnvil()]);
  t.after(() => Promise.all([database.drop(), anvil.stop()]));
  await fetch(anvil.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "anvil_mine", params: ["0x28"] }),
  });
  const env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_RPC_URLS: anvil.url };

  const { code, stdout, stderr } = await blockmill(["range", "3", "40", "--workers", "2"], env);
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, /^38 blocks stored in .*blocks\/s; 0 failed\n$/);
  assert.match(
    stderr,
    /^fetching 38 blocks, 3 to 40\n(3 to 40: .*\n)*3 to 40: 38 of 38 blocks \(100 %\), .*0 failed\n$/,
  );
  assert.deepEqual(await storedBlocks(database), numbers(3, 40));

  const again = await blockmill(["range", "0", "40", "--workers", "2"], env);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /^3 blocks stored/);
  assert.match(again.stderr, /fetching 41 blocks, 0 to 40; 38 are stored already/);
  assert.deepEqual(await storedBlocks(database), numbers(0, 40));

  const beyond = await blockmill(["range", "0", "41"], env);
  assert.equal(beyond.code, 2);
  assert.match(
    beyond.stderr,
    /^blockmill: TO \(41\) is beyond the chain's newest block: expected at most 40 .*\n$/,
  );
});

test("a block that fails leaves the others stored, and range ends with 1 and names it", async (t) => {
  const [database, node] = await Promise.all([
    createDatabase(),
    startFixture({ transactions: 2, head: 30, signatures: "random" }),
  ]);
  t.after(() => Promise.all([database.drop(), node.stop()]));
  await node.mutate({ kind: "set", path: "gasLimit", value: "0x5", method: "*", block: 7, count: 0 });
  const env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_RPC_URLS: node.url };

  const { code, stdout, stderr } = await blockmill(["range", "1", "12", "-w", "2", ...quick], env);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /^11 blocks stored in .*; 1 failed\n {2}block 7: .+\nTry again: the same command\.\n/);
  assert.deepEqual(
    await storedBlocks(database),
    numbers(1, 12).filter((number) => number !== 7),
  );

  await node.clearFaults();
  const again = await blockmill(["range", "1", "12", "-w", "2", ...quick], env);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /^fetching 12 blocks, 1 to 12; 11 are stored already; 1 failed block again\n/);
  assert.match(again.stdout, /^1 block stored/);
  assert.deepEqual(await storedBlocks(database), numbers(1, 12));
});

test("a signal lets range finish what it holds; the same command continues and does nothing twice", async (t) => {
  const [database, node] = await Promise.all([
    createDatabase(),
    startFixture({ transactions: 1, head: 80, signatures: "random", faults: { latencyMs: 60 } }),
  ]);
  t.after(() => Promise.all([database.drop(), node.stop()]));
  const env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_RPC_URLS: node.url };
  const args = ["range", "1", "80", "--workers", "1", "--set", "pipeline.fetch_concurrency=1"];
  // So small that the range is not all jobs when the signal comes.
  args.push("--set", "queue.range_window=10");

  const first = await startBlockmill(args, env);
  await waitFor(async () => (await storedBlocks(database)).length > 0, {
    what: "a block",
  });
  await first.kill("SIGINT");
  const { code, stdout } = await first.ended;
  assert.equal(code, 130);
  assert.match(
    stdout,
    /\d+ not done\. The same command continues; blockmill cancel 1 80 drops the rest\.\n$/,
  );
  const stored = await storedBlocks(database);
  assert.match(stdout, new RegExp(`^${stored.length} blocks? stored`));
  assert.ok(stored.length < 80);
  const held = await database.pool.query("select from processing_jobs where status = 'processing'");
  assert.equal(held.rowCount, 0);

  await node.clearFaults();
  const second = await blockmill(args, env);
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, new RegExp(`^${80 - stored.length} blocks stored`));
  assert.deepEqual(await storedBlocks(database), numbers(1, 80));
  const ranges = await database.pool.query("select from processing_ranges");
  assert.equal(ranges.rowCount, 1, "the open range was continued, not opened again");
});

test("range --force fetches stored blocks again, also archived ones", async (t) => {
  const [database, node] = await Promise.all([
    createDatabase(),
    startFixture({ transactions: 0, head: 10, signatures: "random" }),
  ]);
  t.after(() => Promise.all([database.drop(), node.stop()]));
  const env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_RPC_URLS: node.url };
  assert.equal((await blockmill(["range", "0", "9", "-w", "1"], env)).code, 0);
  assert.equal((await blockmill(["cleanup", "--all"], env)).code, 0);
  await database.pool.query("update blocks set log_count = 999");

  const skipped = await blockmill(["range", "0", "9", "-w", "1"], env);
  assert.match(skipped.stdout, /^0 blocks stored/);
  const forced = await blockmill(["range", "0", "9", "-w", "1", "--force"], env);
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stdout, /^10 blocks stored/);
  const spoilt = await database.pool.query("select from blocks where log_count = 999");
  assert.equal(spoilt.rowCount, 0);
});

test("a range that somebody cancels ends with 1 and says what was not done", async (t) => {
  const [database, node] = await Promise.all([
    createDatabase(),
    startFixture({ transactions: 0, head: 80, signatures: "random", faults: { latencyMs: 100 } }),
  ]);
  t.after(() => Promise.all([database.drop(), node.stop()]));
  const env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_RPC_URLS: node.url };
  const args = ["-w", "1", "--set", "queue.range_window=10", "--set", "pipeline.fetch_concurrency=1"];
  const range = await startBlockmill(["range", "1", "80", ...args], env);
  await waitFor(async () => (await storedBlocks(database)).length > 0, {
    what: "a block",
  });
  assert.equal((await blockmill(["cancel", "1", "80"], env)).code, 0);

  const { code, stdout } = await range.ended;
  assert.equal(code, 1, stdout);
  assert.match(stdout, /\d+ cancelled/);
});
