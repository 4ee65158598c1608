import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { PoolClient } from "pg";
import type { Hex } from "../../src/block.js";
import { deleteBlocks } from "../../src/store/delete-blocks.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { createPartitions } from "../../src/store/partitions.js";
import { readStoredBlock } from "../../src/store/read-stored-block.js";
import { maxNumber } from "../../src/store/stored-numbers.js";
import type { BlockRows } from "../../src/store/to-rows.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { assertStored, rowsOf, storedRows } from "../support/stored-block.js";
import { writeBlocks as writeEncoded } from "../support/write-blocks.js";

let database: TestDatabase;
const { encode } = createEncoder();

async function writeBlocks(client: PoolClient, blocks: BlockRows[]) {
  await createPartitions(client).prepare(blocks.map(({ header }) => header.number));
  return writeEncoded(client, blocks.map(encode));
}

before(async () => {
  database = await createDatabase();
});

after(() => database.drop());

/** Runs `work` inside a transaction that leaves nothing behind, on a connection that must survive it. */
async function rolledBack(work: (client: PoolClient) => Promise<void>): Promise<void> {
  const client = await database.pool.connect();
  try {
    await client.query("begin");
    await work(client);
    await client.query("rollback");
    const everything = await storedRows(client, null);
    assert.deepEqual(Object.values(everything).flat(), []);
  } finally {
    client.release();
  }
}

const ALL_TYPES = [0, 1, 2, 3, 4, 0x7e, 0x71, 0, 2, 0];
const MAX_UINT256: Hex = `0x${"f".repeat(64)}`;

function hexOf(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}

test("every column of every table reads back as it was written", () =>
  rolledBack(async (client) => {
    const blocks = [
      rowsOf({ number: 22_000_000, transactions: ALL_TYPES, logsPerTransaction: 6, withdrawals: 16 }),
      rowsOf({ number: 12_965_000, transactions: ALL_TYPES, logsPerTransaction: 2, fork: "london" }),
      rowsOf({ number: 46_147, transactions: [0, 0], logsPerTransaction: 3, fork: "frontier" }),
      rowsOf({ number: 0, timestamp: 0, fork: "frontier" }),
    ];
    const count = await writeBlocks(client, blocks);
    for (const block of blocks) await assertStored(client, block);
    const tokenTransfers = blocks.reduce((sum, block) => sum + block.tokenTransfers.length, 0);
    assert.equal(count, 4 + 22 + 86 + 16 + tokenTransfers);
  }));

test("numbers at the edges, empty bytes, nulls and signatures that begin with zeros read back as written", () =>
  rolledBack(async (client) => {
    const block = rowsOf({ number: Number.MAX_SAFE_INTEGER, timestamp: 0, transactions: [4, 3, 0] });
    const [first, second, third] = block.transactions;
    assert(first && second && third);
    Object.assign(block.header, {
      timestamp: 253_402_300_799,
      gasLimit: "0xffffffffffffffff",
      baseFeePerGas: MAX_UINT256,
      difficulty: "0x0",
      totalDifficulty: hexOf(10n ** 77n),
      size: Number.MAX_SAFE_INTEGER,
      extraData: "0x",
      uncles: [],
      ...{ nonce: null, mixHash: null, withdrawalsRoot: null, blobGasUsed: null, requestsHash: null },
      extra: { l1BlockNumber: "0x1", text: "ünï 🦀 \\u0000 \"' \n", nested: [{ a: null }, 1.5, true, {}] },
    });
    Object.assign(first, {
      nonce: "0xffffffffffffffff",
      value: MAX_UINT256,
      gasPrice: hexOf(10_000n),
      maxFeePerGas: hexOf(10n ** 60n + 1n),
      chainId: hexOf(99_999_999n),
      v: hexOf(2n ** 53n),
      ...{ r: "0x1", s: "0x0", input: "0x" },
      extra: { mint: "0x5" },
    });
    first.receipt.extra = { l1Fee: "0x6" };
    Object.assign(second, { accessList: [], blobVersionedHashes: [], authorizationList: [], to: null });
    second.receipt.extra = { l1Fee: "0x7" };
    Object.assign(third, { gasPrice: null, accessList: null, chainId: null, r: null, s: null, v: null });
    Object.assign(third, { yParity: null, extra: { only: "the transaction's" } });
    Object.assign(third.receipt, { status: null, root: null, effectiveGasPrice: null });
    block.verified = [];
    await writeBlocks(client, [block]);
    await assertStored(client, block);
  }));

test("a block of 10,000 logs is stored whole", () =>
  rolledBack(async (client) => {
    const block = rowsOf({ number: 9, transactions: Array(10).fill(2), logsPerTransaction: 1_000 });
    assert(block.logs.length === 10_000);
    await writeBlocks(client, [block]);
    await assertStored(client, block);
  }));

test("a row that is larger than a chunk is stored whole", () =>
  rolledBack(async (client) => {
    const block = rowsOf({ number: 9, transactions: [0, 0], inputBytes: 3_000_000 });
    await writeBlocks(client, [block]);
    await assertStored(client, block);
  }));

test("writing a block twice leaves the rows of once", () =>
  rolledBack(async (client) => {
    const block = rowsOf({ number: 5, transactions: ALL_TYPES, logsPerTransaction: 4, withdrawals: 3 });
    const neighbour = rowsOf({ number: 6, transactions: [2], logsPerTransaction: 4, withdrawals: 3 });
    await writeBlocks(client, [block, neighbour]);
    const once = await storedRows(client, null);
    await writeBlocks(client, [block]);
    assert.deepEqual(await storedRows(client, null), once);
  }));

test("another block of the same number replaces it and leaves its neighbours alone", () =>
  rolledBack(async (client) => {
    const neighbours = [4, 6].map((number) => rowsOf({ number, transactions: [2], logsPerTransaction: 2 }));
    const old = rowsOf({ number: 5, transactions: ALL_TYPES, logsPerTransaction: 6, withdrawals: 9 });
    const replacement = rowsOf({ number: 5, transactions: [0], withdrawals: 2, salt: "fork" });
    await writeBlocks(client, [...neighbours, old]);
    await writeBlocks(client, [replacement]);
    for (const block of [...neighbours, replacement]) await assertStored(client, block);
  }));

test("blocks above a number, and blocks of a range, are removed from every table", () =>
  rolledBack(async (client) => {
    const blocks = [1, 2, 3, 4, 5].map((number) =>
      rowsOf({ number, transactions: [2, 2], logsPerTransaction: 2, withdrawals: 2 }),
    );
    await writeBlocks(client, blocks);
    const each = { blocks: 1, transactions: 2, logs: 4, withdrawals: 2, tokenTransfers: 5 };
    const twice = { blocks: 2, transactions: 4, logs: 8, withdrawals: 4, tokenTransfers: 10 };
    assert.deepEqual(await deleteBlocks(client, { from: 4, to: maxNumber }), twice);
    assert.deepEqual(await deleteBlocks(client, { from: 1, to: 1 }), each);
    assert.deepEqual(await deleteBlocks(client, { from: 2, to: 2 }), each);
    for (const block of blocks.slice(2, 3)) await assertStored(client, block);
    assert.deepEqual(await deleteBlocks(client, { from: 1, to: maxNumber }), each);
  }));

test("a stored block is summed up, and one that is not stored is null", () =>
  rolledBack(async (client) => {
    const block = rowsOf({ number: 5, transactions: [2, 3], logsPerTransaction: 1, withdrawals: 2 });
    await writeBlocks(client, [block]);
    const stored = await readStoredBlock(client, 5);
    assert.equal(stored?.number, 5);
    assert.equal(stored.header.hash, block.header.hash);
    assert.equal(stored.header.gas_limit, "30000000");
    assert.deepEqual(stored.rows, { blocks: 1, transactions: 2, logs: 2, withdrawals: 2, tokenTransfers: 2 });
    assert.equal(await readStoredBlock(client, 6), null);
  }));

test("the search_path decides which schema is written", () =>
  rolledBack(async (client) => {
    await client.query("create schema other; create table other.blocks (like public.blocks including all)");
    await client.query("create table other.transactions (like public.transactions including all)");
    for (const table of ["logs", "withdrawals", "token_transfers"]) {
      await client.query(`create table other.${table} (like public.${table} including all)`);
    }
    await client.query("set local search_path to other");
    // Made by hand, these are never partitioned.
    await writeEncoded(client, [encode(rowsOf({ number: 5, transactions: [2] }))]);
    const { rows } = await client.query(
      "select (select count(*)::int from other.blocks) as other, (select count(*)::int from public.blocks) as public",
    );
    assert.deepEqual(rows, [{ other: 1, public: 0 }]);
  }));

test("nothing to write writes nothing", () =>
  rolledBack(async (client) => {
    assert.equal(await writeBlocks(client, []), 0);
  }));

test("a row that PostgreSQL refuses is PostgreSQL's error, and the connection works on", () =>
  rolledBack(async (client) => {
    const block = rowsOf({ number: 5, transactions: [2] });
    Object.assign(block.header, { gasUsed: MAX_UINT256 });
    await assert.rejects(writeBlocks(client, [block]), { code: "22003" });
  }));

test("a row that cannot be encoded is refused before anything is sent, and the encoder works on", () =>
  rolledBack(async (client) => {
    const good = rowsOf({ number: 5, transactions: Array(10).fill(2), logsPerTransaction: 1_000 });
    const bad = structuredClone(good);
    const last = bad.logs.at(-1);
    assert(last);
    last.data = "0x12zz";
    assert.throws(() => encode(bad), RangeError);
    await writeBlocks(client, [good]);
    await assertStored(client, good);
  }));
