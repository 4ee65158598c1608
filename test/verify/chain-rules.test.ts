import assert from "node:assert/strict";
import { test } from "node:test";
import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Block, Hex, Transaction } from "../../src/block.js";
import { exceptionsOf, holds, rulesFor } from "../../src/chain/verify/chain-rules.js";
import { VerificationError } from "../../src/chain/verify/verification-error.js";
import { checksAt, createVerifier } from "../../src/chain/verify/verify-block.js";
import { CHECKS } from "../../src/fields/direct-layout.js";
import { madeBlock } from "./made-block.js";
import { resealed } from "./reseal.js";

const SHAPE = { transactions: 5, logsPerTransaction: 2, withdrawals: 2, salt: 1 };
const verifier = createVerifier();

test("Ethereum, its testnets and chains that nobody knows have no exceptions", () => {
  for (const chainId of [1, 11_155_111, 560_048, 31_337, 123_456_789]) {
    assert.deepEqual(exceptionsOf(rulesFor(chainId)), []);
  }
});

test("every exception has its reason", () => {
  assert.deepEqual(exceptionsOf(rulesFor(8453)), [
    "withdrawalsRoot: since Isthmus the storage root of the message passer",
    "blobGas: since Jovian the data availability footprint",
  ]);
  assert.deepEqual(exceptionsOf(rulesFor(100)), [
    "hash below block 25400000: AuRa headers were sealed otherwise",
  ]);
});

test("an exception that ended holds for the blocks before its end alone", () => {
  const gnosis = rulesFor(100);
  assert.equal(holds(gnosis, "hash", 25_399_999), false);
  assert.equal(holds(gnosis, "hash", 25_400_000), true);
});

test("OP Mainnet keeps the exceptions of the OP stack after Bedrock", () => {
  const optimism = rulesFor(10);
  assert.equal(holds(optimism, "receiptsRoot", 105_235_062), false);
  assert.equal(holds(optimism, "receiptsRoot", 105_235_063), true);
  assert.equal(holds(optimism, "withdrawalsRoot", 140_000_000), false);
});

test("where all checks are skipped nothing is proven, and nothing is refused", async () => {
  const block = await madeBlock(SHAPE);
  block.header.hash = `0x${"00".repeat(32)}`;
  const options = { level: "roots", rules: rulesFor(314), endpoint: "lotus" } as const;
  assert.deepEqual(verifier.verifyBlock(block, options), []);
});

test("what a chain's rules leave out is tried where its hash is Ethereum's, and listed where it holds", async () => {
  const ethereum = { level: "roots", rules: rulesFor(1), endpoint: "node" } as const;
  const all = verifier.verifyBlock(await madeBlock(SHAPE), ethereum);
  // HyperEVM, whose rules demand nothing; Blast, whose demand the cheap checks; a chain of Orbit.
  for (const chainId of [999, 81_457, 42_170]) {
    const rules = rulesFor(chainId);
    assert.notEqual(exceptionsOf(rules).length, 0);
    const options = { ...ethereum, rules };
    const block = await madeBlock({ ...SHAPE, chainId });
    assert.deepEqual(verifier.verifyBlock(block, options), all, String(chainId));
    const { demanded, tried } = checksAt(1, options);
    assert.deepEqual(
      new Set([...demanded, ...tried]),
      new Set(CHECKS.filter((check) => check !== "senders")),
    );
  }
  assert.deepEqual(checksAt(1, ethereum).tried, [], "a chain of which all is demanded costs nothing");
  for (const level of ["bloom", "off"] as const)
    assert.deepEqual(checksAt(1, { level, rules: rulesFor(999) }).tried, []);
});

test("a try that does not hold refuses no block, and takes no other check from it", async () => {
  const options = { level: "roots", rules: rulesFor(999), endpoint: "node" } as const;
  const block = await madeBlock({ ...SHAPE, chainId: 999 });
  const [first] = block.transactions;
  assert.ok(first);
  first.receipt.effectiveGasPrice = "0x1";
  first.value = "0x7";
  const proven = verifier.verifyBlock(block, options);
  assert.ok(proven.includes("hash") && proven.includes("receiptsRoot"));
  for (const check of ["prices", "transactionsRoot", "transactionHashes"] as const)
    assert.equal(proven.includes(check), false, check);

  // What is no block of Ethereum's at all.
  first.receipt.gasUsed = "nonsense" as "0x0";
  assert.equal(verifier.verifyBlock(block, options).includes("gas"), false);
});

test("a transaction of an opaque type takes the roots from the proof, and spares no other transaction", async () => {
  const block = await madeBlock({ ...SHAPE, chainId: 137 });
  const [first, second] = block.transactions;
  assert.ok(first && second);
  first.type = 0x7f;
  const options = { level: "roots", rules: rulesFor(137), endpoint: "bor" } as const;
  const proven = verifier.verifyBlock(block, options);
  for (const check of ["transactionHashes", "transactionsRoot", "receiptsRoot"] as const) {
    assert.equal(proven.includes(check), false);
  }
  assert.ok(proven.includes("hash") && proven.includes("logsBloom"));

  second.value = "0x7";
  assert.throws(() => verifier.verifyBlock(block, options), /transactions\[1\]\.hash/);
});

test("an unknown type is an error where the chain is not known to have it", async () => {
  const block = await madeBlock(SHAPE);
  const [first] = block.transactions;
  assert.ok(first);
  first.type = 0x7f;
  const options = { level: "roots", rules: rulesFor(1), endpoint: "node" } as const;
  assert.throws(() => verifier.verifyBlock(block, options), {
    name: VerificationError.name,
    message: /transactions\[0\]\.type: expected a known type, got 127/,
  });
});

test("Polygon's state-sync transaction stands outside the roots, and its hash is proven", async () => {
  const block = await madeBlock({ ...SHAPE, chainId: 137 });
  const options = { level: "roots", rules: rulesFor(137), endpoint: "bor" } as const;
  const withSync = withStateSync(block);
  const proven = verifier.verifyBlock(withSync, options);
  for (const check of ["logsBloom", "hash", "transactionsRoot", "receiptsRoot"] as const) {
    assert.ok(proven.includes(check), check);
  }

  const forged = structuredClone(withSync);
  const last = forged.transactions.at(-1);
  assert.ok(last);
  last.hash = `0x${"00".repeat(32)}`;
  assert.throws(() => verifier.verifyBlock(forged, options), /transactions\[5\]\.hash/);
  assert.throws(() => verifier.verifyBlock(withSync, { ...options, rules: rulesFor(1) }), VerificationError);
});

test("a header whose fields moved to another fork's is refused, though its hash is the same", async () => {
  const block = await madeBlock(SHAPE);
  const moved = structuredClone(block);
  moved.header.requestsHash = moved.header.parentBeaconBlockRoot;
  moved.header.parentBeaconBlockRoot = null;
  assert.equal((await resealed(moved)).header.hash, block.header.hash);
  const options = { level: "roots", rules: rulesFor(1), endpoint: "node" } as const;
  assert.throws(
    () => verifier.verifyBlock(moved, options),
    /parentBeaconBlockRoot: expected a value, got null/,
  );
});

/** As bor shows it: unsigned, after all others, with a hash of its own making. */
function withStateSync(block: Block): Block {
  const [model] = block.transactions;
  assert.ok(model);
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(block.header.number));
  const key = [Buffer.from("matic-bor-receipt-"), number, Buffer.from(block.header.hash.slice(2), "hex")];
  const hash: Hex = `0x${Buffer.from(keccak_256(Buffer.concat(key))).toString("hex")}`;
  const zero: Hex = `0x${"00".repeat(20)}`;
  const transaction: Transaction = {
    ...model,
    transactionIndex: block.transactions.length,
    hash,
    type: 0,
    from: zero,
    to: zero,
    nonce: "0x0",
    value: "0x0",
    gas: "0x0",
    gasPrice: "0x0",
    input: "0x",
    r: "0x0",
    s: "0x0",
    v: "0x0",
    receipt: {
      ...model.receipt,
      gasUsed: "0x0",
      cumulativeGasUsed: "0x0",
      logs: [],
      effectiveGasPrice: "0x0",
    },
  };
  return { ...block, transactions: [...block.transactions, transaction] };
}
