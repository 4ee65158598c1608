import assert from "node:assert/strict";
import { test } from "node:test";
import { useStoredChain } from "./stored-chain.js";
import { linesOf, removeBlocks, verify } from "./verify-command.js";

test("verify proves what is stored, and ends with exit code 0", async (t) => {
  const chain = await useStoredChain(t);
  assert.match((await verify(chain.database.url)).stdout, /^Nothing is stored\.\n$/);
  await chain.store(3, 22);
  const { code, stdout } = await verify(chain.database.url);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^20 blocks proven, 0 wrong, 0 missing, in .* s, .* blocks\/s\.\n$/);
  for (const [args, proven] of [
    [["5"], 1],
    [["5", "9"], 5],
    [["--sample", "7"], 7],
    [["20", "22"], 3],
    [["--no-senders"], 20],
  ] as [string[], number][]) {
    const { code, stdout } = await verify(chain.database.url, ...args, "--json");
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
  await removeBlocks(chain.pool, 2);

  const { code, stdout } = await verify(chain.database.url);
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

  const json = await verify(chain.database.url, "--json");
  assert.equal(json.code, 1);
  const lines = linesOf(json.stdout);
  const size = lines.find(({ block }) => block === 6);
  assert.deepEqual([size?.table, size?.field], ["blocks", "digest"]);
  assert.match(size?.expected ?? "", /^0x[0-9a-f]{64}$/);
  const { summary } = lines.at(-1) ?? {};
  assert.deepEqual([summary?.proven, summary?.wrong, summary?.missing], [6, 3, 1]);

  assert.equal((await verify(chain.database.url, "5", "7", "--sample", "3", "--json")).code, 1);
  assert.equal((await verify(chain.database.url, "3", "3")).code, 0);
});

test("verify refuses what it cannot understand, and says what it cannot reach", async () => {
  const unreachable = "postgres://nobody@127.0.0.1:1/nothing";
  assert.equal((await verify(unreachable, "9", "3")).code, 2);
  assert.equal((await verify(unreachable, "--sample", "0")).code, 2);
  assert.equal((await verify(unreachable)).code, 69);
});

test("verify of blocks that are not stored calls them missing, and ends with exit code 1", async (t) => {
  const chain = await useStoredChain(t);
  const nothing = await verify(chain.database.url, "7");
  assert.equal(nothing.code, 1, nothing.stdout);
  assert.match(nothing.stdout, /^block 7: missing\n0 blocks proven, 0 wrong, 1 missing, /);
  await chain.store(0, 3);
  await removeBlocks(chain.pool, 2);
  const some = await verify(chain.database.url, "1", "6");
  assert.equal(some.code, 1, some.stdout);
  assert.match(some.stdout, /^block 2: missing, though the queue says stored$/m);
  assert.match(some.stdout, /^blocks 4 to 6: missing$/m);
  assert.match(some.stdout, /^2 blocks proven, 0 wrong, 4 missing, /m);
});

test("a block that was stored unproven is not wrong for a hash that its chain does not have, nor proven", async (t) => {
  const chain = await useStoredChain(t);
  const withHash = (number: number, hash: `0x${string}`) => {
    const block = chain.parsed(number);
    block.header.hash = hash;
    return block;
  };
  const own = `0x${"11".repeat(32)}` as const;
  const child = chain.parsed(5);
  child.header.parentHash = own;
  child.header.hash = `0x${"22".repeat(32)}`;
  // Block 4 and 5 as on a chain with hashes of its own; 7 is as it should be, though nobody looked.
  await chain.write([
    chain.encoded(withHash(4, own), []),
    chain.encoded(child, []),
    chain.encoded(chain.parsed(7), []),
  ]);
  const off = await verify(chain.database.url, "--set", "chain.verify=off");
  assert.equal(off.code, 0, off.stdout);
  assert.match(off.stdout, /^1 block proven, 2 unproven, 0 wrong, 0 missing, /);
  assert.match(off.stdout, /^Unproven: .*; not proven of them: .*hash, .*receiptsRoot/m);

  const json = await verify(chain.database.url, "--set", "chain.verify=off", "--json", "--repair");
  assert.equal(json.code, 0);
  const [finding, last] = linesOf(json.stdout);
  assert.deepEqual([finding?.block, finding?.field, finding?.actual], [4, "verified", "nothing"]);
  assert.deepEqual([last?.summary?.unproven, last?.summary?.requeued], [2, 0]);

  const roots = await verify(chain.database.url);
  assert.equal(roots.code, 1, "chain.verify demands it");
  assert.match(roots.stdout, /^1 block proven, 2 wrong, 0 missing, /m);
  await chain.pool.query("update blocks set size = size + 1 where number = 4");
  const touched = await verify(chain.database.url, "--set", "chain.verify=off");
  assert.equal(touched.code, 1);
  assert.match(touched.stdout, /^block 4: digest: its rows are not those that were written$/m);
});
