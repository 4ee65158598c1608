import assert from "node:assert/strict";
import { test } from "node:test";
import type { Block } from "../../src/block.js";
import { createVerifier } from "../../src/chain/verify/verify-block.js";
import { loadBlocks } from "../../src/store/load-blocks.js";
import { type RawBlock, type StoredChain, useStoredChain } from "./stored-chain.js";

const { bloomOf } = createVerifier();

/** What is read back of these blocks. */
async function loaded(chain: StoredChain, numbers: number[]) {
  const client = await chain.pool.connect();
  try {
    return await loadBlocks(client, numbers, bloomOf);
  } finally {
    client.release();
  }
}

async function assertReadBack(chain: StoredChain, blocks: Block[]): Promise<void> {
  await chain.write(blocks.map((block) => chain.encoded(block)));
  const numbers = blocks.map(({ header }) => header.number);
  const read = await loaded(chain, numbers);
  assert.deepEqual(
    read.map(({ contradictions }) => contradictions),
    blocks.map(() => []),
  );
  assert.deepEqual(
    read.map(({ rebuilt }) => rebuilt?.block),
    blocks.map(asStored),
  );
}

/** What a receipt says again of its transaction is compared, and not stored. */
function asStored({ transactions, ...block }: Block): Block {
  const echoes = { from: null, to: null, type: null };
  return {
    ...block,
    transactions: transactions.map((each) => ({ ...each, receipt: { ...each.receipt, ...echoes } })),
  };
}

test("a block of every era, with every transaction type of the time, reads back as it was parsed", async (t) => {
  const chain = await useStoredChain(t, { eras: "compressed", transactions: [8, 0, 5, 1] });
  const blocks = Array.from({ length: 100 }, (_, number) => chain.parsed(number));
  const types = new Set(blocks.flatMap(({ transactions }) => transactions.map(({ type }) => type)));
  assert.deepEqual([...types].sort(), [0, 1, 2, 3, 4]);
  assert(blocks.some(({ transactions }) => transactions.length === 0));
  assert(blocks.some(({ header }) => header.uncles.length > 0));
  assert(blocks.some(({ transactions }) => transactions.some(({ receipt }) => receipt.root !== null)));
  await assertReadBack(chain, blocks);
});

test("no withdrawals before Shanghai and an empty list since then are told apart", async (t) => {
  const chain = await useStoredChain(t, { eras: { shanghai: 2, cancun: 3, prague: 3 }, transactions: 1 });
  const before = chain.parsed(1);
  const none = chain.parsed(2, "main", ({ block }) => {
    block.withdrawals = [];
  });
  assert.equal(before.withdrawals, null);
  assert.deepEqual(none.withdrawals, []);
  await assertReadBack(chain, [before, none]);
});

test("fields that no column is for read back as they came", async (t) => {
  const chain = await useStoredChain(t);
  const odd = (raw: RawBlock) => {
    raw.block.l1BlockNumber = "0x10";
    raw.block.nested = { b: [1, { a: null, "": "ünï 🦀" }], a: -1e-200, c: 123456789012345680000 };
    const [first, second, third] = raw.block.transactions;
    const [receipt, other] = raw.receipts;
    assert(first && second && third && receipt && other);
    first.sourceHash = "0xAb";
    receipt.l1Fee = "0x1";
    second.isSystemTx = true;
    other.l1GasUsed = { z: 1, aa: [] };
  };
  await assertReadBack(chain, [chain.parsed(1, "main", odd)]);
});

test("numbers at the edges read back as they came", async (t) => {
  const chain = await useStoredChain(t);
  const edges = ({ block, receipts }: RawBlock) => {
    const [transaction, receipt] = [block.transactions[0], receipts[0]];
    assert(transaction && receipt);
    const most = `0x${"f".repeat(64)}`;
    Object.assign(block, {
      gasLimit: "0xffffffffffffffff",
      baseFeePerGas: most,
      difficulty: most,
      size: "0x0",
    });
    Object.assign(block, { extraData: "0x", timestamp: "0x0", totalDifficulty: "0x0" });
    Object.assign(transaction, { nonce: "0xffffffffffffffff", value: most, r: "0x0", s: "0x1", v: most });
    Object.assign(receipt, { cumulativeGasUsed: "0xffffffffffffffff", blobGasPrice: most });
  };
  await assertReadBack(chain, [chain.parsed(1, "main", edges)]);
});

test("blocks that are not neighbours are read together, and those that are not stored left out", async (t) => {
  const chain = await useStoredChain(t);
  await chain.store(0, 9);
  const read = await loaded(chain, [1, 2, 5, 9, 12]);
  assert.deepEqual(
    read.map(({ rebuilt }) => rebuilt?.block),
    [1, 2, 5, 9].map((number) => asStored(chain.parsed(number))),
  );
});
