import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Block } from "../../src/block.js";
import { inTransaction, type Tx } from "../../src/db/pool.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { drawNumbers } from "../../src/pipeline/sample-stored.js";
import { uncoverBlocks } from "../../src/queue/uncover.js";
import { deleteBlocks } from "../../src/store/delete-blocks.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { toRows } from "../../src/store/to-rows.js";
import { named, useStoredChain } from "./stored-chain.js";

/** Each is something that verify: off lets through: its digest fits. */
const lies: Record<string, (block: Block) => void> = {
  "a sender who did not sign": ({ transactions: [first] }) => {
    if (first) first.from = `0x${"11".repeat(20)}`;
  },
  "another value": ({ transactions: [first] }) => {
    if (first) first.value = "0x7";
  },
  "a log that the node dropped": ({ transactions: [first] }) => {
    first?.receipt.logs.pop();
  },
  "another amount that was withdrawn": ({ withdrawals }) => {
    if (withdrawals?.[0]) withdrawals[0].amount = "0x7";
  },
  "another state root": ({ header }) => {
    header.stateRoot = `0x${"11".repeat(32)}`;
  },
  "another price": ({ transactions: [first] }) => {
    if (first) first.receipt.effectiveGasPrice = "0x7";
  },
};

test("a block that was stored wrong, without verification, is found though its digest fits", async (t) => {
  const chain = await useStoredChain(t);
  await chain.store(0, 4);
  for (const [lie, tell] of Object.entries(lies)) {
    const block = chain.parsed(2);
    tell(block);
    await chain.write([chain.encoded(block)]);
    const findings = await chain.prove();
    assert.deepEqual(named(findings), [2], lie);
    assert(!findings.some(({ field }) => field === "digest"), lie);
  }
  await chain.store(2, 2);
  assert.deepEqual(await chain.prove(), []);
});

test("token transfers that are not what the logs say are found row by row", async (t) => {
  const chain = await useStoredChain(t);
  await chain.store(0, 2);
  const block = chain.parsed(1);
  const transfers = decodeTokenTransfers(block);
  const [first, second, ...others] = transfers;
  assert(first && second && others.length > 0);
  const added = { ...first, batchIndex: 9 };
  const wrong = [{ ...first, value: "0x7" } as const, added, ...others];
  await chain.write([createEncoder().encode(toRows(block, wrong))]);
  const findings = await chain.prove();
  assert.deepEqual(
    findings.map(({ field, expected, actual }) => [field, expected, actual]),
    [
      [`token_transfers[${first.logIndex}, 0].value`, first.value, "0x7"],
      [`token_transfers[${second.logIndex}, ${second.batchIndex}]`, "a row", "none"],
      [`token_transfers[${first.logIndex}, 9]`, "no row", "a row"],
    ],
  );
});

test("two branches that meet are found, wherever batches end, though every block is proven by itself", async (t) => {
  const chain = await useStoredChain(t, { transactions: 0 });
  const other = await useStoredChain(t, { transactions: 0, seed: 2 });
  await chain.store(0, 600);
  assert.deepEqual(await chain.prove(), []);
  // Batches are of 250 blocks.
  for (const first of [1, 248, 249, 250, 497, 598]) {
    await chain.write([0, 1, 2].map((place) => chain.encoded(other.parsed(first + place))));
    const links = (await chain.prove()).map(({ from, field }) => [from, field]);
    const expected = [
      [first - 1, "hash"],
      [first, "parent_hash"],
      [first + 2, "hash"],
      [first + 3, "parent_hash"],
    ];
    assert.deepEqual(
      links.sort(([a], [b]) => Number(a) - Number(b)),
      first === 598 ? expected.slice(0, 2) : expected,
    );
    await chain.store(first, Math.min(600, first + 2));
  }
});

test("of a span, the links to the blocks around it are proven too", async (t) => {
  const chain = await useStoredChain(t, { transactions: 1 });
  const other = await useStoredChain(t, { transactions: 1, seed: 2 });
  await chain.store(0, 9);
  await chain.write([4, 5, 6].map((number) => chain.encoded(other.parsed(number))));
  assert.deepEqual(named(await chain.prove({ from: 4, to: 6 })), [4, 6]);
  assert.deepEqual(named(await chain.prove({ from: 5, to: 5 })), []);
});

test("a block whose hash was changed is to blame for the broken link, and not its child", async (t) => {
  const chain = await useStoredChain(t, { transactions: 1 });
  await chain.store(0, 9);
  await chain.pool.query("update blocks set hash = sha256(hash) where number = 5");
  await chain.pool.query("update transactions set block_hash = sha256(block_hash) where block_number = 5");
  await chain.pool.query("update logs set block_hash = sha256(block_hash) where block_number = 5");
  assert.deepEqual(named(await chain.prove()), [5]);
});

test("blocks that are rewritten, removed and written again meanwhile are never found wrong", async (t) => {
  const chain = await useStoredChain(t, { transactions: 2 });
  await chain.store(0, 7);
  const versions = [0, 1].map((version) =>
    [2, 3, 4, 5].map((number) =>
      chain.encoded(
        chain.parsed(number, "main", ({ block, receipts }) => {
          block.version = version;
          for (const receipt of receipts) receipt.version = version;
        }),
      ),
    ),
  );
  const remove = async (tx: Tx): Promise<void> => {
    await deleteBlocks(tx, { from: 4, to: 5 });
    await uncoverBlocks(tx, [{ from: 4, to: 5 }]);
  };
  const ending = new AbortController();
  let writes = 0;
  const writer = (async () => {
    for (; !ending.signal.aborted; writes += 1) {
      await chain.write(versions[writes % 2] ?? []);
      if (writes % 3 === 0) await inTransaction(chain.pool, remove);
    }
  })();
  try {
    for (let round = 0; round < 80; round += 1) assert.deepEqual(await chain.prove(), []);
  } finally {
    ending.abort();
    await writer;
  }
  t.diagnostic(`${writes} writes meanwhile`);
  assert(writes > 20, `${writes}`);
});

test("counts that lie do not make a block too large to be read", async (t) => {
  const chain = await useStoredChain(t, { transactions: 1 });
  await chain.store(0, 9);
  await chain.pool.query(
    "update blocks set transaction_count = 2147483647, log_count = 2147483647 where number in (3, 4)",
  );
  assert.deepEqual(named(await chain.prove()), [3, 4]);
});

test("the session's own settings do not matter", async (t) => {
  const chain = await useStoredChain(t);
  await chain.store(0, 2);
  const { name } = chain.database;
  await chain.pool.query(`alter database ${name} set bytea_output = 'escape'`);
  await chain.pool.query(`alter database ${name} set datestyle = 'German'`);
  await chain.pool.query(`alter database ${name} set enable_indexscan = off`);
  // The pool's sessions are older than the settings.
  await chain.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  const client = await chain.pool.connect();
  client.release(true);
  assert.deepEqual(await chain.prove(), []);
});

test("draws are of the spans, each number at most once, and all of them when there are no more", () => {
  const spans = fc
    .array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 50 })), { maxLength: 8 })
    .map((parts) => {
      let next = 0;
      return parts.map(([hole, length]) => {
        const from = next + hole + 1;
        next = from + length;
        return { from, to: next - 1 };
      });
    });
  fc.assert(
    fc.property(
      spans,
      fc.integer({ min: 1, max: 100 }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
      (given, count, random) => {
        const all = given.flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, i) => from + i),
        );
        const drawn = drawNumbers(given, count, () => random.next().value);
        assert.deepEqual(
          drawn,
          [...new Set(drawn)].sort((a, b) => a - b),
        );
        assert.equal(drawn.length, Math.min(count, all.length));
        assert.deepEqual(
          drawn.filter((number) => !all.includes(number)),
          [],
        );
      },
    ),
  );
  const hits = new Map<number, number>();
  for (let round = 0; round < 6_000; round += 1)
    for (const number of drawNumbers(
      [
        { from: 1, to: 3 },
        { from: 9, to: 11 },
      ],
      2,
    ))
      hits.set(number, (hits.get(number) ?? 0) + 1);
  for (const number of [1, 2, 3, 9, 10, 11]) assert(Math.abs((hits.get(number) ?? 0) - 2_000) < 250);
});
