import assert from "node:assert/strict";
import { test } from "node:test";
import { readDigests } from "../../src/store/read-digests.js";
import { useWorld } from "../orchestrator/scene.js";

const world = useWorld();
const bytes = (number: number) => `0x${number.toString(16).padStart(64, "0")}` as const;

test("the stored blocks of each span come in order, with their hash and their digest, or none", async () => {
  await world.rows(
    `insert into blocks (number, hash, parent_hash, timestamp, miner, gas_limit, gas_used, extra_data, logs_bloom,
       state_root, transactions_root, receipts_root, sha3_uncles, uncles, transaction_count, log_count, digest)
     select n, word, '', to_timestamp(n), '', 0, 0, '', '', '', '', '', '', '{}', 0, 0, case when n <> 3 then word end
     from generate_series(1, 9) as n, lateral (select decode(lpad(to_hex(n), 64, '0'), 'hex') as word) as words`,
  );
  const spans = [
    { from: 8, to: 20 },
    { from: 2, to: 3 },
  ];
  assert.deepEqual(await readDigests(world.pool, spans), [
    { number: 2, hash: bytes(2), digest: bytes(2) },
    { number: 3, hash: bytes(3), digest: null },
    { number: 8, hash: bytes(8), digest: bytes(8) },
    { number: 9, hash: bytes(9), digest: bytes(9) },
  ]);
  assert.deepEqual(await readDigests(world.pool, []), []);
});
