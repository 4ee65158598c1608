// The direct way takes what is usual, and has the rows of the long way to the byte. Whatever is wrong or unusual in any place
// it leaves alone.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Chain } from "../../bench/fixture-node/chain.js";
import { type ChainWishes, chainOptions } from "../../bench/fixture-node/chain-options.js";
import { knownBlobPrice } from "../../src/chain/verify/blob-price.js";
import type { VerifyLevel } from "../../src/chain/verify/verify-block.js";
import { createDirectWay } from "../../src/direct/direct-way.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { rawBlock } from "../support/raw-block.js";
import { mineBusyBlock, startChain } from "../verify/anvil-chain.js";
import { answerOf, bothWays, type Texts, textsOf } from "./both-ways.js";
import { type Json, variantsOf } from "./variants.js";

const levels: readonly VerifyLevel[] = ["roots", "bloom", "off"];
const ways = Object.fromEntries(levels.map((level) => [level, bothWays(level)])) as Record<
  VerifyLevel,
  ReturnType<typeof bothWays>
>;

/** A block of the fixture's chain: its hashes, roots and blooms are right. */
function fixtureBlock(number: number, wishes: ChainWishes): Texts {
  const block = new Chain(chainOptions({ signatures: "random", ...wishes })).block("main", number);
  assert(block !== undefined);
  return { block: block.read("full").toString(), receipts: block.read("receipts").toString() };
}

/** A block of a real node with every type of transaction that a fork has. */
async function anvilBlock(fork: string, newestType: 0 | 1 | 2 | 3 | 4): Promise<Texts> {
  const chain = await startChain({ args: ["--hardfork", fork] });
  try {
    const { header, transactions } = await mineBusyBlock(chain, { newestType, calls: 2 });
    const tag = `0x${header.number.toString(16)}`;
    type Raw = Record<string, Json>;
    const block = (await chain.request("eth_getBlockByNumber", tag, true)) as Raw & { transactions: Raw[] };
    const receipts = (await chain.request("eth_getBlockReceipts", tag)) as (Raw & { logs: Raw[] })[];
    // anvil hashes blobs along with their transactions, and sends them, which no chain keeps: what was sealed anew is told.
    const { hash: blockHash, transactionsRoot, receiptsRoot } = header;
    return textsOf({
      block: {
        ...{ ...block, hash: blockHash, transactionsRoot, receiptsRoot },
        transactions: block.transactions.map(({ blobs: _b, commitments: _c, proofs: _p, ...raw }, i) => {
          return { ...raw, blockHash, hash: transactions[i]?.hash };
        }),
      },
      receipts: receipts.map(({ logs, ...raw }, i) => {
        const place = { blockHash, transactionHash: transactions[i]?.hash };
        return { ...raw, ...place, logs: logs.map((log) => ({ ...log, ...place })) };
      }),
    });
  } finally {
    await chain.stop();
  }
}

const bytesOf = ({ bytes }: ReturnType<typeof answerOf>) => bytes ?? assert.fail("it has none");

for (const level of levels) {
  test(`blocks of every fork are taken, verify ${level}`, () => {
    const chain = new Chain(
      chainOptions({
        signatures: "random",
        eras: "compressed",
        transactions: [0, 1, 7, 130],
        logsPerTransaction: 3,
      }),
    );
    for (let number = 0; number <= 90; number += 1) {
      const block = chain.block("main", number);
      assert(block !== undefined);
      const texts = { block: block.read("full").toString(), receipts: block.read("receipts").toString() };
      const hash = block.hash as `0x${string}`;
      assert(ways[level].take(texts, { number, hash }), `block ${number}`);
    }
  });
}

for (const [fork, newestType] of [
  ["byzantium", 0],
  ["berlin", 1],
  ["london", 2],
  ["shanghai", 2],
  ["cancun", 3],
  ["prague", 4],
] as const) {
  test(`a real node's block of ${fork} with every type of transaction is taken`, async () => {
    const texts = await anvilBlock(fork, newestType);
    for (const level of levels) assert(ways[level].take(texts, { number: 2, chainId: 31_337 }), level);
  });
}

test("what a chain's rules leave out is tried in both ways, with the same outcome", () => {
  // HyperEVM demands nothing, Blast the cheap checks, Avalanche all but the hash and the prices.
  for (const chainId of [999, 81_457, 43_114]) {
    const whole = fixtureBlock(3, { chainId, transactions: 20, logsPerTransaction: 2 });
    for (const [what, texts] of Object.entries(changesOf(whole))) {
      const mayBeRefused = chainId !== 999 && what !== "nothing" && what !== "hash";
      if (!mayBeRefused) assert(ways.roots.take(texts, { number: 3, chainId }), `${chainId}: ${what}`);
    }
  }
});

/** A block as it is, and with one thing changed that one check notices. */
function changesOf(whole: Texts): Record<string, Texts> {
  const replaced = (of: keyof Texts, pattern: RegExp, by: string): Texts => {
    const changed = whole[of].replace(pattern, by);
    assert.notEqual(changed, whole[of], String(pattern));
    return { ...whole, [of]: changed };
  };
  const { hash } = JSON.parse(whole.block) as { hash: string };
  const otherHash = (text: string) => text.replaceAll(hash, `0x${"ab".repeat(32)}`);
  return {
    nothing: whole,
    hash: { block: otherHash(whole.block), receipts: otherHash(whole.receipts) },
    receiptsRoot: replaced("receipts", /"data":"0x(?!")[0-9a-f]{2}/, '"data":"0x5a'),
    prices: replaced("receipts", /"effectiveGasPrice":"0x[0-9a-f]+"/, '"effectiveGasPrice":"0x1"'),
    transactionsRoot: replaced("block", /"value":"0x[0-9a-f]+"/, '"value":"0x5a5a5a"'),
  };
}

test("a price of blob gas is taken that follows from the excess, where the chain's schedule is known", () => {
  // In Prague. The fixture's own price is any.
  const wishes = { transactions: 16, timestamp: { first: 1_750_000_000, step: 12 } };
  const { block, receipts } = fixtureBlock(3, wishes);
  const { timestamp, excessBlobGas } = JSON.parse(block) as { timestamp: string; excessBlobGas: string };
  const header = { timestamp: Number(timestamp), excessBlobGas: BigInt(excessBlobGas) };
  const price = knownBlobPrice(1, header) ?? assert.fail("it is not known");
  const told = receipts.match(/"blobGasPrice":"(0x[0-9a-f]+)"/)?.[1] ?? assert.fail("there are no blobs");
  const right = { block, receipts: receipts.replaceAll(`"${told}"`, `"0x${price.toString(16)}"`) };
  assert(!ways.roots.take({ block, receipts }, { number: 3 }));
  assert(ways.roots.take(right, { number: 3 }));
  assert(ways.off.take({ block, receipts }, { number: 3 }));
});

test("an answer may have spaces and line ends where JSON allows them", () => {
  const { block, receipts } = fixtureBlock(3, { transactions: 4 });
  const spaced = (json: string): string => JSON.stringify(JSON.parse(json), null, "\r\n\t ");
  assert(ways.roots.take({ block: spaced(block), receipts: spaced(receipts) }, { number: 3 }));
});

test("transfers of every standard are told from what only looks like one", () => {
  const word = (value: bigint): string => value.toString(16).padStart(64, "0");
  const dataOf = fc
    .array(
      fc.oneof(
        fc.constantFrom(0n, 1n, 2n, 32n, 64n, 96n, 128n, 160n, 33n, 2n ** 255n),
        fc.bigInt(0n, 2n ** 256n - 1n),
      ),
      {
        maxLength: 10,
      },
    )
    .map((values) => `0x${values.map(word).join("")}`);
  const names = ["ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"];
  names.push("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
  names.push("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
  const topic = fc.oneof(
    { weight: 4, arbitrary: fc.bigInt(0n, 2n ** 160n - 1n) },
    { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 256n - 1n) },
  );
  const log = fc.record({
    topics: fc
      .tuple(fc.constantFrom(...names), fc.array(topic, { maxLength: 3 }))
      .map(([name, rest]) => [`0x${name}`, ...rest.map((each) => `0x${word(each)}`)]),
    data: fc.oneof(dataOf, fc.constantFrom("0x", "0x00", `0x${"00".repeat(33)}`)),
  });
  fc.assert(
    fc.property(fc.array(log, { minLength: 1, maxLength: 8 }), (made) => {
      const raw = rawBlock({ number: 7, transactions: [2], logsPerTransaction: made.length });
      const [receipt] = raw.receipts;
      assert(receipt !== undefined);
      receipt.logs = (receipt.logs as object[]).map((each, i) => ({ ...each, ...made[i] }));
      assert(ways.off.take(textsOf(raw), { number: 7 }));
    }),
    { numRuns: 1_000 },
  );
});

test("quantities of any size are written as the long way writes them", () => {
  const quantity = (bits: number) =>
    fc
      .tuple(fc.bigInt(0n, 2n ** BigInt(bits) - 1n), fc.nat(bits - 1))
      .map(([value, shift]) => `0x${(value >> BigInt(shift)).toString(16)}`);
  const edges = fc
    .nat(77)
    .chain((power) =>
      fc.constantFrom(10n ** BigInt(power), 10n ** BigInt(power) - 1n, 10n ** BigInt(power) + 1n),
    )
    .map((value) => `0x${value.toString(16)}`);
  const any = fc.oneof(quantity(256), edges);
  fc.assert(
    fc.property(any, any, any, quantity(64), any, (value, r, s, nonce, price) => {
      const raw = rawBlock({ number: 7, transactions: [2, 0] });
      const transactions = raw.block.transactions as Record<string, Json>[];
      for (const transaction of transactions)
        Object.assign(transaction, { value, r, s, nonce, gasPrice: price });
      Object.assign(raw.block, { difficulty: price, totalDifficulty: value, gasLimit: nonce });
      assert(ways.off.take(textsOf(raw), { number: 7 }));
    }),
    { numRuns: 500 },
  );
});

test("whatever changes in one place of a block, it is left, or has the rows of the long way", async () => {
  const old = { transactions: 1, logsPerTransaction: 1, eras: "compressed" } as const;
  // Of the largest one, with every type of transaction, every seventh change: each field is there many times.
  const documents: [Texts, { number: number; chainId?: number }, step: number][] = [
    [fixtureBlock(3, { transactions: 2, logsPerTransaction: 1 }), { number: 3 }, 1],
    [fixtureBlock(15, old), { number: 15 }, 2],
    [await anvilBlock("prague", 4), { number: 2, chainId: 31_337 }, 7],
  ];
  const taken = new Set<string>();
  for (const [texts, asked, step] of documents) {
    const document = { block: JSON.parse(texts.block), receipts: JSON.parse(texts.receipts) } as Json;
    let seen = 0;
    for (const { name, document: changed } of variantsOf(document)) {
      seen += 1;
      if (seen % step !== 0) continue;
      const { block, receipts } = changed as Record<string, Json>;
      if (block === undefined || receipts === undefined) continue;
      const variant = textsOf({ block, receipts });
      ways.off.take(variant, asked);
      ways.bloom.take(variant, asked);
      const isSame = variant.block === texts.block && variant.receipts === texts.receipts;
      if (ways.roots.take(variant, asked) && !isSame) taken.add(name.replace(/\[\d+\]/g, "[]"));
    }
  }
  // What no hash covers, is said once more elsewhere, or means the same.
  const free = [
    ".block.size",
    ".block.totalDifficulty",
    ".block.withdrawals",
    ".block.transactions[].blockTimestamp",
    ".block.transactions[].chainId",
    ".block.transactions[].from",
    ".block.transactions[].gasPrice",
    ".block.transactions[].type",
    ".block.transactions[].v",
    ".block.transactions[].yParity",
    ".receipts[].blobGasPrice",
    ".receipts[].blockTimestamp",
    ".receipts[].contractAddress",
    ".receipts[].effectiveGasPrice",
    ".receipts[].from",
    ".receipts[].logs[].blockTimestamp",
    ".receipts[].logs[].removed",
    ".receipts[].to",
    ".receipts[].type",
  ];
  const fields = [...new Set([...taken].map((name) => name.replace(/:.*/, "")))];
  assert.deepEqual(
    fields.filter((field) => !free.includes(field)),
    [],
  );
  assert(fields.includes(".receipts[].from") && fields.includes(".block.size"), "some are taken");
});

test("whatever bytes of an answer change, it is left, or has the rows of the long way", () => {
  const { block, receipts } = fixtureBlock(3, { transactions: 2, logsPerTransaction: 1 });
  const change = fc.record({
    at: fc.nat(),
    how: fc.constantFrom("replace", "insert", "delete"),
    text: fc.oneof(
      fc.constantFrom(...'"\\{}[]:,0x1af \t\n\0tfn-+.e', '"number":"0x3",', "\\u0030", "null", "\u00e9"),
      fc.string({ minLength: 1, maxLength: 3 }),
    ),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), fc.boolean(), (changes, inBlock) => {
      let text = inBlock ? block : receipts;
      for (const { at, how, text: put } of changes) {
        const place = at % text.length;
        const behind = how === "insert" ? place : place + (how === "delete" ? 1 : put.length);
        text = text.slice(0, place) + (how === "delete" ? "" : put) + text.slice(behind);
      }
      const texts = inBlock ? { block: text, receipts } : { block, receipts: text };
      ways.roots.take(texts, { number: 3 });
      ways.off.take(texts, { number: 3 });
    }),
    { numRuns: 3_000 },
  );
});

test("an answer to another question, of another block, or on another branch is left", () => {
  const encoder = createEncoder();
  const take = createDirectWay({ level: "roots", recoverSenders: false, encoder });
  const { block, receipts } = fixtureBlock(3, { transactions: 2 });
  const { hash } = JSON.parse(block) as { hash: `0x${string}` };
  const answers = { block: answerOf(block, { id: 7 }), receipts: answerOf(receipts, { id: 8 }) };
  const served = { wanted: { number: 3, hash }, chainId: 1 };
  assert(take(answers, served) !== null);
  assert.equal(take(answers, { ...served, wanted: { number: 4, hash: null } }), null);
  assert.equal(take(answers, { ...served, wanted: { number: 3, hash: `0x${"01".repeat(32)}` } }), null);
  const renamed = (answer: typeof answers.block) =>
    answer.bytes === null ? answer : { ...answer, bytes: { ...answer.bytes, id: 9 } };
  assert.equal(take({ ...answers, block: renamed(answers.block) }, served), null);
  assert.equal(take({ ...answers, receipts: renamed(answers.receipts) }, served), null);
  assert(take(answers, served) !== null, "it is as good as new");
});

test("the id of an answer is the number that was sent", () => {
  const take = createDirectWay({ level: "roots", recoverSenders: false, encoder: createEncoder() });
  const { block, receipts } = fixtureBlock(3, { transactions: 2 });
  const served = { wanted: { number: 3, hash: null }, chainId: 1 };
  const withId = (id: string): ReturnType<typeof answerOf> => {
    const whole = Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${block}}`);
    return {
      bytes: { ...bytesOf(answerOf(block)), chunks: [whole], size: whole.length, id: 10 },
      tookMs: 0,
      result: assert.fail,
    };
  };
  assert(take({ block: withId("10"), receipts: answerOf(receipts) }, served) !== null);
  for (const id of ['"10"', '"0010"', '"0:"', "010", "1e1", "10.0", "null", "11"]) {
    assert.equal(take({ block: withId(id), receipts: answerOf(receipts) }, served), null, id);
  }
  for (const result of ['"pending"', "null", "[]", "1"]) {
    assert.equal(take({ block: answerOf(result), receipts: answerOf(receipts) }, served), null, result);
    assert.equal(take({ block: answerOf(block), receipts: answerOf(result) }, served), null, result);
  }
});

test("the first block that a process takes may be large, and those behind it may be checked otherwise", () => {
  for (const kilobytes of [1_000, 6_000]) {
    const raw = rawBlock({ number: 7, transactions: [2, 0] });
    const [first] = raw.block.transactions as Record<string, Json>[];
    Object.assign(first ?? {}, { input: `0x${"ab".repeat(kilobytes * 500)}` });
    assert(bothWays("off").take(textsOf(raw), { number: 7 }), `${kilobytes} KB`);
    const large = fixtureBlock(3, { transactions: Math.ceil(kilobytes / 4), logsPerTransaction: 4 });
    const ways = bothWays("roots");
    assert(ways.take(large, { number: 3 }), `${kilobytes} KB`);
    // Base leaves two checks out.
    const small = fixtureBlock(3, { transactions: 2, chainId: 8453 });
    assert(ways.take(small, { number: 3, chainId: 8453 }));
    assert(ways.take(large, { number: 3 }));
  }
});

test("an answer of nothing but empty objects takes neither long nor much memory", () => {
  const { block, receipts } = fixtureBlock(3, { transactions: 2 });
  const { withdrawals: _w, ...rest } = JSON.parse(block) as Record<string, Json>;
  const many = (field: string): string =>
    `${JSON.stringify(rest).slice(0, -1)},"${field}":[${"{},".repeat(3_000_000)}{}]}`;
  for (const field of ["withdrawals", "transactions"]) {
    let collected = 0;
    const seen = new PerformanceObserver((list) => {
      collected += list.getEntries().length;
    });
    seen.observe({ entryTypes: ["gc"] });
    assert(!ways.roots.take({ block: many(field), receipts }, { number: 3 }));
    seen.disconnect();
    assert(collected < 50, `${collected} collections`);
  }
  assert(ways.roots.take({ block, receipts }, { number: 3 }));
});

test("a block of some megabytes is taken, a larger one is left, and the next one is taken as ever", () => {
  const megabytes = (count: number): Texts => {
    const raw = rawBlock({ number: 7, transactions: [2, 0] });
    const [first] = raw.block.transactions as Record<string, Json>[];
    Object.assign(first ?? {}, { input: `0x${"ab".repeat(count * 1_000_000)}` });
    return textsOf(raw);
  };
  const usual = fixtureBlock(3, { transactions: 2 });
  assert(ways.off.take(megabytes(8), { number: 7 }));
  assert(ways.off.take(usual, { number: 3 }));
  assert(!ways.off.take(megabytes(13), { number: 7 }));
  assert(ways.off.take(usual, { number: 3 }));
});

test("chains with exceptions have them on the direct way too", () => {
  // Base: withdrawalsRoot is not Ethereum's. Polygon: what is state-sync, only the long way knows.
  const texts = fixtureBlock(3, { transactions: 2, chainId: 8453 });
  const block = JSON.parse(texts.block) as { withdrawals: Json[] };
  const without = { ...texts, block: JSON.stringify({ ...block, withdrawals: [] }) };
  assert(block.withdrawals.length > 0);
  assert(ways.roots.take(without, { number: 3, chainId: 8453 }));
  assert(!ways.roots.take(without, { number: 3, chainId: 1 }));
  assert(!ways.roots.take(texts, { number: 3, chainId: 137 }));
});

test("another chain's block is left to the long way, which refuses its transactions", () => {
  const texts = fixtureBlock(3, { transactions: 2, chainId: 5 });
  assert(ways.roots.take(texts, { number: 3, chainId: 5 }));
  assert(!ways.roots.take(texts, { number: 3, chainId: 1 }));
});
