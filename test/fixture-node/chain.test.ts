// The generated chain against a second implementation: viem for transactions, RLP, Keccak and
// signatures, @ethereumjs/mpt for the tries.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createMPT } from "@ethereumjs/mpt";
import {
  type Hex,
  hexToBytes,
  keccak256,
  parseTransaction,
  recoverTransactionAddress,
  serializeTransaction,
  type TransactionSerializable,
  toHex,
  toRlp,
} from "viem";
import { recoverAuthorizationAddress } from "viem/utils";
import { Chain, MAIN, type StoredBlock } from "../../bench/fixture-node/chain.js";
import { type ChainWishes, chainOptions } from "../../bench/fixture-node/chain-options.js";
import { prebuiltBlocks } from "../../bench/fixture-node/prebuilt.js";

type Rlp = Hex | Rlp[];

interface BlockJson extends Record<string, unknown> {
  hash: Hex;
  transactions: TransactionJson[];
  withdrawals?: { index: Hex; validatorIndex: Hex; address: Hex; amount: Hex }[];
  uncles: Hex[];
}

interface TransactionJson {
  [field: string]: unknown;
  hash: Hex;
  from: Hex;
  type: Hex;
}

interface ReceiptJson {
  type: Hex;
  status?: Hex;
  root?: Hex;
  cumulativeGasUsed: Hex;
  gasUsed: Hex;
  logsBloom: Hex;
  contractAddress: Hex | null;
  transactionHash: Hex;
  logs: LogJson[];
}

interface LogJson {
  address: Hex;
  topics: Hex[];
  data: Hex;
  logIndex: Hex;
}

const HEADER_FIELDS = [
  ...["parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"],
  ...["difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"],
  ...["baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot"],
  "requestsHash",
];
const QUANTITIES = new Set([
  ...["difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed"],
  "excessBlobGas",
]);

test("every transaction's hash is that of its signed encoding, and its sender signed it", async () => {
  const seen = new Set<string>();
  for (const { block } of blocks({ eras: "compressed", transactions: 12 }, [5, 15, 35, 45, 65, 75, 85, 86])) {
    for (const transaction of block.transactions) {
      const serialized = serialize(transaction);
      assert.equal(keccak256(serialized), transaction.hash);
      const sender = await recoverTransactionAddress({ serializedTransaction: serialized as never });
      assert.equal(sender.toLowerCase(), transaction.from);
      seen.add(`${transaction.type} ${transaction.to === null ? "creates" : ""} ${"chainId" in transaction}`);
    }
  }
  const wanted = [
    "0x0  true",
    "0x0  false",
    "0x0 creates true",
    "0x1  true",
    "0x2  true",
    "0x3  true",
    "0x4  true",
  ];
  for (const kind of wanted) assert.ok(seen.has(kind), kind);
});

test("an authorization recovers to one of the chain's accounts", async () => {
  const transactions = [...blocks({ transactions: 300 }, [1, 2, 3])].flatMap(
    ({ block }) => block.transactions,
  );
  const senders = new Set(transactions.map(({ from }) => from));
  const lists = transactions.map(({ authorizationList }) => authorizationList ?? []);
  const authorizations = lists.flat() as Record<string, Hex>[];
  assert.ok(authorizations.length > 0);
  for (const { chainId, address, nonce, yParity, r, s } of authorizations) {
    const recovered = await recoverAuthorizationAddress({
      authorization: {
        chainId: Number(chainId),
        address: address as Hex,
        nonce: Number(nonce),
        yParity: Number(yParity),
        r: word(r as Hex),
        s: word(s as Hex),
      },
    });
    assert.ok(senders.has(recovered.toLowerCase() as Hex), `${recovered} sends nothing`);
  }
});

test("roots, bloom, size and hash are right in every era", async () => {
  const numbers = [0, 1, 9, 10, 19, 20, 29, 30, 39, 40, 49, 50, 59, 60, 69, 70, 79, 80, 90];
  for (const { block, receipts } of blocks({ eras: "compressed", transactions: 20 }, numbers)) {
    const number = String(block.number);
    const transactions = block.transactions.map(serialize);
    assert.equal(await trieRoot(transactions), block.transactionsRoot, `transactionsRoot ${number}`);
    assert.equal(await trieRoot(receipts.map(encodeReceipt)), block.receiptsRoot, `receiptsRoot ${number}`);
    assert.equal(bloomOf(receipts.flatMap(({ logs }) => logs)), block.logsBloom, `logsBloom ${number}`);
    for (const receipt of receipts) assert.equal(bloomOf(receipt.logs), receipt.logsBloom);
    const withdrawals = block.withdrawals?.map(({ index, validatorIndex, address, amount }): Rlp[] => [
      ...[bare(index), bare(validatorIndex), address, bare(amount)],
    ]);
    if (withdrawals) {
      const root = await trieRoot(withdrawals.map((item) => toRlp(item)));
      assert.equal(root, block.withdrawalsRoot, `withdrawalsRoot ${number}`);
    }
    const header = HEADER_FIELDS.filter((field) => field in block).map((field) => {
      const value = block[field] as Hex;
      return QUANTITIES.has(field) ? bare(value) : value;
    });
    assert.equal(keccak256(toRlp(header)), block.hash, `hash ${number}`);
    if (block.uncles.length === 0) {
      const items = transactions.map((bytes, i) =>
        block.transactions[i]?.type === "0x0" ? legacyItem(bytes) : bytes,
      );
      const body: Rlp[] = [header, items, [], ...(withdrawals ? [withdrawals] : [])];
      assert.equal(toHex((toRlp(body).length - 2) / 2), block.size, `size ${number}`);
    }
  }
});

test("a full-sized block's tries have the right roots", async () => {
  const [sample] = blocks({ transactions: 300 }, [1]);
  assert.ok(sample);
  assert.equal(await trieRoot(sample.block.transactions.map(serialize)), sample.block.transactionsRoot);
  assert.equal(await trieRoot(sample.receipts.map(encodeReceipt)), sample.block.receiptsRoot);
});

test("receipts count gas and logs through the block", () => {
  for (const { block, receipts } of blocks({ transactions: 150 }, [1, 2, 3])) {
    let gas = 0;
    for (const receipt of receipts) {
      gas += Number(receipt.gasUsed);
      assert.equal(Number(receipt.cumulativeGasUsed), gas);
    }
    assert.equal(Number(block.gasUsed), gas);
    const indexes = receipts.flatMap(({ logs }) => logs.map(({ logIndex }) => Number(logIndex)));
    assert.deepEqual(
      indexes,
      indexes.map((_, i) => i),
    );
    assert.ok(indexes.length > 200 && indexes.length < 450, `${indexes.length} logs`);
    assert.ok(receipts.some(({ status }) => status === "0x0"));
    assert.ok(receipts.some(({ contractAddress }) => contractAddress !== null));
  }
});

test("each block names its parent's hash", () => {
  const chain = chainOf({ start: 22_431_080, eras: "mainnet" });
  let parent = chain.block(MAIN, 22_431_080);
  assert.equal(chain.block(MAIN, 22_431_079), undefined);
  for (let number = 22_431_081; number < 22_431_090; number += 1) {
    const block = chain.block(MAIN, number);
    assert.equal(block?.parentHash, parent?.hash);
    assert.equal(json<BlockJson>(block, "full").parentHash, parent?.hash);
    assert.equal("requestsHash" in json<BlockJson>(block, "full"), number >= 22_431_084);
    parent = block;
  }
});

test("equal seeds give equal bytes, other seeds give other blocks", () => {
  const [one, same, other] = [chainOf({ seed: 7 }), chainOf({ seed: 7 }), chainOf({ seed: 8 })];
  assert.deepEqual(bytes(one.block(MAIN, 6)), bytes(same.block(MAIN, 6)));
  assert.notEqual(one.block(MAIN, 6)?.hash, other.block(MAIN, 6)?.hash);
});

test("random signatures keep hashes and roots right", async () => {
  const [sample] = blocks({ signatures: "random", transactions: 10 }, [1]);
  assert.ok(sample);
  const serialized = sample.block.transactions.map(serialize);
  assert.deepEqual(
    serialized.map((item) => keccak256(item)),
    sample.block.transactions.map(({ hash }) => hash),
  );
  assert.equal(await trieRoot(serialized), sample.block.transactionsRoot);
});

test("transactions per block may be a list or a function", () => {
  const listed = chainOf({ transactions: [1, 0, 3] });
  const counts = [0, 1, 2, 3, 4, 5].map(
    (n) => json<BlockJson>(listed.block(MAIN, n), "full").transactions.length,
  );
  assert.deepEqual(counts, [0, 0, 3, 1, 0, 3]);
  const computed = chainOf({ transactions: (number) => number % 2 });
  assert.equal(json<BlockJson>(computed.block(MAIN, 3), "full").transactions.length, 1);
  assert.equal(json<BlockJson>(computed.block(MAIN, 4), "full").transactions.length, 0);
});

test("a branch shares the prefix, and keeps, moves, drops and adds transactions", () => {
  const chain = chainOf({ transactions: 12 });
  chain.fork({ branch: "b", from: MAIN, above: 10 });
  assert.equal(chain.block("b", 10), chain.block(MAIN, 10));
  assert.notEqual(chain.block("b", 11)?.hash, chain.block(MAIN, 11)?.hash);
  assert.equal(chain.block("b", 11)?.parentHash, chain.block(MAIN, 10)?.hash);
  const hashes = (branch: string, number: number) =>
    json<{ transactions: string[] }>(chain.block(branch, number), "hashesOnly").transactions;
  const [main, moved, branch] = [hashes(MAIN, 11), hashes(MAIN, 12), hashes("b", 11)];
  assert.equal(branch.filter((hash) => main.includes(hash)).length, 3);
  assert.equal(branch.filter((hash) => moved.includes(hash)).length, 3);
});

test("no chain holds a transaction twice, also not through nested branches", () => {
  const chain = chainOf({ transactions: 9, eras: "compressed" });
  chain.fork({ branch: "b", from: MAIN, above: 20 });
  chain.fork({ branch: "c", from: "b", above: 24 });
  chain.fork({ branch: "d", from: "b", above: 15 });
  for (const branch of [MAIN, "b", "c", "d"]) {
    const hashes = Array.from(
      { length: 45 },
      (_, n) => json<{ transactions: string[] }>(chain.block(branch, n), "hashesOnly").transactions,
    ).flat();
    assert.equal(new Set(hashes).size, hashes.length, branch);
  }
});

test("blocks built ahead are the same bytes, and the chain goes on after them", () => {
  const folder = mkdtempSync(join(tmpdir(), "fixture-test-"));
  try {
    const options = chainOptions({ seed: 99, transactions: 3 });
    const built: number[] = [];
    prebuiltBlocks(options, { blocks: 5, folder, onProgress: (count) => built.push(count) });
    assert.deepEqual(built, [1, 2, 3, 4, 5]);
    const found = prebuiltBlocks(options, {
      blocks: 5,
      folder,
      onProgress: () => assert.fail("built again"),
    });
    const [fromDisk, fresh] = [new Chain(options, found), new Chain(options)];
    for (let number = 0; number < 7; number += 1) {
      assert.deepEqual(bytes(fromDisk.block(MAIN, number)), bytes(fresh.block(MAIN, number)));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function chainOf(wishes: ChainWishes): Chain {
  return new Chain(chainOptions(wishes));
}

function* blocks(
  wishes: ChainWishes,
  numbers: number[],
): Generator<{ block: BlockJson; receipts: ReceiptJson[] }> {
  const chain = chainOf(wishes);
  for (const number of numbers) {
    const stored = chain.block(MAIN, number);
    yield { block: json<BlockJson>(stored, "full"), receipts: json<ReceiptJson[]>(stored, "receipts") };
  }
}

function json<T>(block: StoredBlock | undefined, body: "full" | "hashesOnly" | "receipts"): T {
  assert.ok(block);
  return JSON.parse(block.read(body).toString()) as T;
}

function bytes(block: StoredBlock | undefined): string[] {
  assert.ok(block);
  return (["full", "hashesOnly", "receipts"] as const).map((body) => block.read(body).toString());
}

/** The signed encoding by viem, from the JSON alone. */
function serialize(json: TransactionJson): Hex {
  const type = ["legacy", "eip2930", "eip1559", "eip4844", "eip7702"][Number(json.type)];
  const number = (name: string) => (name in json ? BigInt(json[name] as Hex) : undefined);
  const isPriced = type === "legacy" || type === "eip2930";
  const transaction = {
    type,
    ...("chainId" in json && { chainId: Number(json.chainId) }),
    nonce: Number(json.nonce),
    gas: number("gas"),
    to: json.to,
    value: number("value"),
    data: json.input,
    ...(type !== "legacy" && { accessList: json.accessList }),
    ...(isPriced
      ? { gasPrice: number("gasPrice") }
      : { maxFeePerGas: number("maxFeePerGas"), maxPriorityFeePerGas: number("maxPriorityFeePerGas") }),
    ...(type === "eip4844" && {
      maxFeePerBlobGas: number("maxFeePerBlobGas"),
      blobVersionedHashes: json.blobVersionedHashes,
    }),
    ...(type === "eip7702" && {
      authorizationList: (json.authorizationList as Record<string, Hex>[]).map((item) => ({
        ...{ address: item.address, r: item.r, s: item.s },
        ...{ chainId: Number(item.chainId), nonce: Number(item.nonce), yParity: Number(item.yParity) },
      })),
    }),
  } as TransactionSerializable;
  const v = BigInt(json.v as Hex);
  return serializeTransaction(transaction, {
    r: json.r as Hex,
    s: json.s as Hex,
    ...(type === "legacy" ? { v } : { yParity: Number(v) }),
  });
}

function encodeReceipt({ type, status, root, cumulativeGasUsed, logsBloom, logs }: ReceiptJson): Hex {
  const payload = toRlp([
    root ?? bare(status ?? "0x0"),
    bare(cumulativeGasUsed),
    logsBloom,
    logs.map(({ address, topics, data }): Rlp[] => [address, topics, data]),
  ]);
  return type === "0x0" ? payload : `0x0${type.slice(2)}${payload.slice(2)}`;
}

async function trieRoot(items: Hex[]): Promise<Hex> {
  const trie = await createMPT();
  for (const [i, item] of items.entries()) await trie.put(toRlp(bare(toHex(i)), "bytes"), hexToBytes(item));
  return toHex(trie.root());
}

function bloomOf(logs: LogJson[]): Hex {
  const bloom = new Uint8Array(256);
  for (const item of logs.flatMap(({ address, topics }) => [address, ...topics])) {
    const hash = keccak256(item, "bytes");
    for (const at of [0, 2, 4]) {
      const bit = (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) % 2048;
      const byte = 255 - Math.floor(bit / 8);
      bloom[byte] = (bloom[byte] ?? 0) | (1 << (bit % 8));
    }
  }
  return toHex(bloom);
}

/** The items of a signed legacy transaction's RLP list, from viem's parser. */
function legacyItem(bytes: Hex): Rlp[] {
  const { nonce, gasPrice, gas, to, value, data, v, r, s } = parseTransaction(bytes) as unknown as Record<
    string,
    bigint | number | Hex | undefined
  >;
  const numbers = [nonce, gasPrice, gas].map((item) => bare(toHex(item ?? 0)));
  const signature = [v ?? 0, BigInt(r ?? 0), BigInt(s ?? 0)].map((item) => bare(toHex(item)));
  return [...numbers, (to as Hex) ?? "0x", bare(toHex(value ?? 0)), (data as Hex) ?? "0x", ...signature];
}

/** A quantity as RLP holds it: whole bytes without leading zeros, zero as none. */
function bare(quantity: Hex): Hex {
  const digits = quantity.slice(2).replace(/^0+/, "");
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`;
}

function word(quantity: Hex): Hex {
  return `0x${quantity.slice(2).padStart(64, "0")}`;
}
