import assert from "node:assert/strict";
import { test } from "node:test";
import { readNewestBlock } from "../../src/store/newest-block.js";
import {
  newestStored,
  newestStoredNumber,
  storedFromSql,
  storedHashes,
} from "../../src/store/stored-hashes.js";
import { useWorld } from "../orchestrator/scene.js";

const world = useWorld();
const hash = (number: number) => `0x${number.toString(16).padStart(64, "0")}` as const;

const store = (...numbers: number[]) =>
  world.rows(
    `insert into blocks (number, hash, parent_hash, timestamp, miner, gas_limit, gas_used, extra_data, logs_bloom,
       state_root, transactions_root, receipts_root, sha3_uncles, uncles, transaction_count, log_count)
     select n, decode(lpad(to_hex(n), 64, '0'), 'hex'), '', to_timestamp(n), '', 0, 0, '', '', '', '', '', '', '{}', 0, 0
     from unnest($1::bigint[]) as n`,
    [numbers],
  );

test("an empty table has no block", async () => {
  assert.equal(await newestStoredNumber(world.pool), null);
  assert.equal(await readNewestBlock(world.pool), null);
  assert.deepEqual(await storedHashes(world.pool, 0), new Map());
});

test("hashes are those of the blocks from a number on", async () => {
  await store(3, 4, 9);
  assert.deepEqual(
    await storedHashes(world.pool, 4),
    new Map([
      [4, hash(4)],
      [9, hash(9)],
    ]),
  );
  assert.deepEqual(await world.rows(`${storedFromSql} order by number`, [9]), [
    { kind: "stored", number: 9, hash: hash(9), id: null },
  ]);
});

test("the newest come first, below a number and within a limit", async () => {
  await store(3, 4, 9, 10);
  assert.deepEqual(await newestStored(world.pool, { below: 10, limit: 2 }), [
    { number: 9, hash: hash(9) },
    { number: 4, hash: hash(4) },
  ]);
  assert.equal(await newestStoredNumber(world.pool), 10);
  assert.deepEqual(await readNewestBlock(world.pool), { number: 10, timestamp: new Date(10_000) });
});
