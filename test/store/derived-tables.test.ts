// A table that is made while everything runs: it is in the list that everything goes through.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import pg from "pg";
import type { Block, Log } from "../../src/block.js";
import { grantPrivilege } from "../../src/db/grants.js";
import { inTransaction } from "../../src/db/pool.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { addDerivedTable } from "../../src/store/add-derived-table.js";
import { deleteBlocks } from "../../src/store/delete-blocks.js";
import { deleteOrphans, deleteStrays } from "../../src/store/delete-orphans.js";
import { derivedTable } from "../../src/store/derived-table.js";
import { createEncoder, type EncodedBlock } from "../../src/store/encode-block.js";
import { countStrays, findOrphans } from "../../src/store/orphan-rows.js";
import { readStoredBlock } from "../../src/store/read-stored-block.js";
import { maxNumber, storedBounds } from "../../src/store/stored-numbers.js";
import { toRows } from "../../src/store/to-rows.js";
import { type StoredChain, useStoredChain } from "../stored/stored-chain.js";

/** Who emitted each log. */
const emitters = derivedTable<Log>("log_emitters", [
  ["log_index", (out, log) => out.int4(log.logIndex)],
  ["emitter", (out, log) => out.bytea(log.address)],
]);

const definition = {
  name: "log_emitters",
  columns: [
    { name: "log_index", type: "int not null" },
    { name: "emitter", type: "bytea not null" },
  ],
  key: ["log_index"],
  comment: "Who emitted each log; it's made up.",
};

const encoder = createEncoder();

function logsOf(block: Block): Log[] {
  return block.transactions.flatMap(({ receipt }) => receipt.logs);
}

/** The block with its emitters. */
function encoded(block: Block): EncodedBlock {
  const derived = [{ table: emitters, rows: logsOf(block) }];
  return encoder.encode({ ...toRows(block, decodeTokenTransfers(block)), derived });
}

/** Blocks 0 to 4 of a chain without the table, then the table, then 5 to 9 with it. */
async function setScene(t: TestContext, partitionBlocks: number): Promise<StoredChain> {
  const chain = await useStoredChain(t, { logsPerTransaction: 2 }, { partitionBlocks });
  await chain.store(0, 4);
  await inTransaction(chain.pool, (tx) => addDerivedTable(tx, definition));
  await chain.write([5, 6, 7, 8, 9].map((number) => encoded(chain.parsed(number))));
  return chain;
}

async function emittersOf({ pool }: StoredChain): Promise<unknown[]> {
  const { rows } = await pool.query({
    text: "select block_number::int, log_index, '0x' || encode(emitter, 'hex') from log_emitters order by 1, 2",
    rowMode: "array",
  });
  return rows;
}

function expected(chain: StoredChain, numbers: number[]): unknown[] {
  return numbers.flatMap((number) =>
    logsOf(chain.parsed(number)).map(({ logIndex, address }) => [number, logIndex, address]),
  );
}

for (const partitionBlocks of [0, 3]) {
  const where = partitionBlocks === 0 ? "" : ", in partitions";

  test(`a table that is added at run time is written and removed with its blocks${where}`, async (t) => {
    const chain = await setScene(t, partitionBlocks);
    assert.ok(expected(chain, [5]).length > 0);
    assert.deepEqual(await emittersOf(chain), expected(chain, [5, 6, 7, 8, 9]));
    const { rows } = await chain.pool.query(
      "select count(*)::int as parts from pg_inherits where inhparent = 'log_emitters'::regclass",
    );
    // Those that the other tables had before it, and those that were made for both since.
    assert.deepEqual(rows, [{ parts: partitionBlocks === 0 ? 0 : 4 }]);
    // Written again without the table, a block has none of its rows.
    await chain.store(6, 6);
    assert.deepEqual(await emittersOf(chain), expected(chain, [5, 7, 8, 9]));
    assert.equal((await readStoredBlock(chain.pool, 7))?.rows.log_emitters, expected(chain, [7]).length);
    const removed = await inTransaction(chain.pool, (tx) => deleteBlocks(tx, { from: 8, to: maxNumber }));
    assert.equal(removed.log_emitters, expected(chain, [8, 9]).length);
    assert.equal(removed.blocks, 2);
    assert.deepEqual(await emittersOf(chain), expected(chain, [5, 7]));
    await chain.pool.query("drop table log_emitters");
    assert.equal(
      (await inTransaction(chain.pool, (tx) => deleteBlocks(tx, { from: 7, to: maxNumber }))).blocks,
      1,
    );
    await chain.store(7, 15);
    assert.deepEqual(await chain.prove(), []);
  });

  test(`its rows without a block are found and removed as others are${where}`, async (t) => {
    const chain = await setScene(t, partitionBlocks);
    await chain.pool.query("delete from blocks where number = 9");
    const orphans = (await findOrphans(chain.pool, [{ from: 9, to: 9 }])).filter(
      ({ table }) => table === "log_emitters",
    );
    assert.deepEqual(orphans, [{ table: "log_emitters", from: 9, to: 9, rows: expected(chain, [9]).length }]);
    await deleteOrphans(chain.pool, [{ from: 9, to: 9 }]);
    assert.deepEqual(await emittersOf(chain), expected(chain, [5, 6, 7, 8]));
    if (partitionBlocks > 0) return;
    await chain.pool.query("insert into log_emitters values (-1, 0, '')");
    assert.deepEqual(await countStrays(chain.pool), [{ table: "log_emitters", rows: 1 }]);
    assert.equal(await deleteStrays(chain.pool), 1);
    await chain.pool.query("insert into log_emitters values (4000, 0, '')");
    assert.deepEqual(await storedBounds(chain.pool), { from: 0, to: 4_000 });
  });

  test(`roles get at it what they get at logs, as it is made and by every grant${where}`, async (t) => {
    const chain = await useStoredChain(t, {}, { partitionBlocks });
    const suffix = randomBytes(4).toString("hex");
    const [worker, late] = [`worker_${suffix}`, `late_${suffix}`];
    await chain.pool.query(`create role ${worker}; create role ${late}`);
    try {
      const grant = (role: string) =>
        inTransaction(chain.pool, (tx) => grantPrivilege(tx, "public", role, "worker"));
      await grant(worker);
      await inTransaction(chain.pool, (tx) => addDerivedTable(tx, definition));
      const rights = async (role: string) => {
        const { rows } = await chain.pool.query<{ right: string }>(
          `select privilege as right from unnest('{select,insert,update,delete,truncate}'::text[]) as privilege
           where has_table_privilege($1, 'log_emitters', privilege)`,
          [role],
        );
        return rows.map(({ right }) => right);
      };
      const all = ["select", "insert", "update", "delete"];
      assert.deepEqual(await rights(worker), all);
      assert.deepEqual(await rights(late), []);
      await grant(late);
      assert.deepEqual(await rights(late), all);
      // What the list says is the owner's alone to say.
      const client = new pg.Client({ connectionString: chain.database.url });
      await client.connect();
      try {
        await client.query(`set role ${worker}`);
        await assert.rejects(client.query("insert into chain_tables (name) values ('mine')"), {
          code: "42501",
        });
      } finally {
        await client.end();
      }
    } finally {
      await chain.pool.query(`drop owned by ${worker}, ${late}; drop role ${worker}; drop role ${late}`);
    }
  });
}

test("a block's digest, and its other rows, are the same with it and without", async (t) => {
  const chain = await useStoredChain(t, { logsPerTransaction: 2 });
  const block = chain.parsed(2);
  const [plain, withEmitters] = [
    createEncoder().encode(toRows(block, decodeTokenTransfers(block))),
    encoded(block),
  ];
  const { log_emitters: rows, ...others } = withEmitters.rows;
  assert.ok((rows?.length ?? 0) > 0);
  assert.deepEqual(others, plain.rows);
  assert.equal(withEmitters.digest.compare(plain.digest), 0);
});

test("rows that somebody else has encoded get the same ones appended", async (t) => {
  const chain = await useStoredChain(t, { logsPerTransaction: 2 });
  const block = chain.parsed(2);
  const long = encoded(block);
  const { blocks, transactions, logs, withdrawals, tokenTransfers } = long.rows;
  // As the direct way lays them out: behind one another, the block's own up to its digest's version.
  const pieces = { transactions, logs, withdrawals, tokenTransfers, blocks: blocks.subarray(0, -42) };
  let at = 5;
  const places = Object.fromEntries(
    Object.entries(pieces).map(([key, { length }]) => {
      const from = at;
      at += length;
      return [key, { from, to: at, count: long.counts[key] ?? 0 }];
    }),
  ) as Parameters<typeof encoder.keep>[1]["places"];
  const memory = Buffer.concat([Buffer.alloc(5), ...Object.values(pieces)]);
  const { number, hash, parentHash } = long;
  const derived = [{ table: emitters, rows: logsOf(block) }];
  const kept = encoder.keep(memory, { number, hash, parentHash, places, derived });
  assert.deepEqual(kept.rows, long.rows);
  assert.deepEqual(kept.counts, long.counts);
  assert.equal(kept.digest.compare(long.digest), 0);
});
