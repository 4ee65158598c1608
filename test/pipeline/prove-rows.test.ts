// One block, as it was read: what is wrong with it is named by its table and field.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Chain, MAIN } from "../../bench/fixture-node/chain.js";
import { chainOptions } from "../../bench/fixture-node/chain-options.js";
import type { Block } from "../../src/block.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { rulesFor } from "../../src/chain/verify/chain-rules.js";
import { createVerifier } from "../../src/chain/verify/verify-block.js";
import { decodeTokenTransfers, type TokenTransfer } from "../../src/decode/decode-token-transfers.js";
import { CHECKS } from "../../src/fields/direct-layout.js";
import { type Prover, proveRows } from "../../src/pipeline/prove-rows.js";
import type { LoadedBlock } from "../../src/store/load-blocks.js";

const chain = new Chain(chainOptions({}));
const prover = {
  verifier: createVerifier(),
  rules: rulesFor(chain.options.chainId),
  level: "roots",
  recoverSenders: true,
  digest: "0xaa",
} satisfies Prover & { digest: string };

function parsed(): Block {
  const stored = chain.block(MAIN, 1);
  const read = (body: "full" | "receipts") => JSON.parse(String(stored?.read(body)));
  return parseBlock(read("full"), read("receipts"), { endpoint: "made up", number: 1 });
}

/** The proof of a block whose rows were changed. */
function proof(
  change: (block: Block, transfers: TokenTransfer[]) => void,
  loaded: Partial<LoadedBlock> = {},
  by: Partial<Prover> = {},
) {
  const block = parsed();
  const tokenTransfers = decodeTokenTransfers(block);
  change(block, tokenTransfers);
  const rows = {
    number: 1,
    digest: "0xaa",
    verified: [],
    contradictions: [],
    rebuilt: { block, tokenTransfers },
    ...loaded,
  };
  return proveRows(rows as unknown as LoadedBlock, { ...prover, ...by });
}

/** What is found wrong with it. */
function proven(...of: Parameters<typeof proof>): string[] {
  return proof(...of).wrong.map(
    ({ table, field, expected, actual }) => `${table}: ${field}: ${expected}, not ${actual}`,
  );
}

const loseHash = ({ header }: Block) => {
  header.hash = `0x${"11".repeat(32)}`;
};
const loseReceipt = ({ header }: Block) => {
  header.receiptsRoot = `0x${"11".repeat(32)}`;
};

test("a block as it came is proven", () => {
  assert.deepEqual(
    proven(() => {}),
    [],
  );
});

test("what a root covers is looked for in the table where it stands", () => {
  const [changed = ""] = proven(({ transactions: [first] }) => {
    if (first) first.value = "0x7";
  });
  assert.match(changed, /^transactions: /);
  const [dropped = ""] = proven(({ transactions }) => {
    transactions.find(({ receipt }) => receipt.logs.length > 0)?.receipt.logs.pop();
  });
  assert.match(dropped, /^(logs|transactions, logs|blocks): /);
  const [header = ""] = proven((block) => {
    block.header.gasLimit = "0x1";
  });
  assert.match(header, /^blocks: hash: /);
});

test("token transfers are compared one by one with what the logs say", () => {
  assert(decodeTokenTransfers(parsed()).length >= 2, "the block has transfers");
  const [changed, removed, added] = proven((_, transfers) => {
    const [first, second] = transfers;
    assert(first !== undefined && second !== undefined);
    transfers.splice(0, 2, { ...first, value: "0x7" });
    transfers.push({ ...second, batchIndex: 99 });
  });
  assert.match(changed ?? "", /^token_transfers: token_transfers\[\d+, \d+\]\.value: 0x\w+, not 0x7$/);
  assert.match(removed ?? "", /: a row, not none$/);
  assert.match(added ?? "", /, 99\]: no row, not a row$/);
});

test("a digest that is missing or another's is named, and one of a version that nobody wrote is not compared", () => {
  assert.deepEqual(
    proven(() => {}, { digest: "0xbb" }),
    ["blocks: digest: 0xbb, not 0xaa"],
  );
  assert.deepEqual(
    proven(() => {}, { digest: null }),
    ["blocks: digest: 32 bytes, not none"],
  );
  const loaded = { number: 1, digest: "0xbb", verified: [], contradictions: [], rebuilt: null };
  assert.deepEqual(proveRows(loaded as unknown as LoadedBlock, { ...prover, digest: undefined }).wrong, []);
});

test("a block that cannot even be encoded is wrong, and no error", () => {
  const [wrong = ""] = proven((block) => {
    block.header.gasLimit = "not hex" as "0x0";
  });
  assert.match(wrong, /^blocks: /);
});

test("what chain.verify demands is wrong where it does not hold, and what it does not is unproven", () => {
  for (const [level, wrong] of [
    ["roots", 1],
    ["bloom", 0],
    ["off", 0],
  ] as const) {
    const found = proof(loseHash, {}, { level });
    assert.equal(found.wrong.length, wrong, level);
    assert.equal(found.unproven.includes("hash"), wrong === 0, level);
  }
  assert.deepEqual(
    proof(() => {}, {}, { level: "off" }),
    { wrong: [], unproven: [], proven: CHECKS },
    "what holds is proven, whoever demands it",
  );
});

test("without the block's hash no root of it is believed", () => {
  const { unproven, proven } = proof(loseHash, {}, { level: "off" });
  assert(unproven.includes("receiptsRoot") && unproven.includes("transactionsRoot"));
  assert.deepEqual(proven, []);
});

test("what a chain's rules leave out is tried, and a block without it is neither wrong nor proven", () => {
  const rules = rulesFor(999);
  assert.deepEqual(proof(() => {}, {}, { rules }).unproven, []);
  for (const [change, check] of [
    [loseHash, "hash"],
    [loseReceipt, "hash"],
  ] as const) {
    const { wrong, unproven } = proof(change, {}, { rules });
    assert.deepEqual(wrong, []);
    assert(unproven.includes(check));
  }
});

test("what was proven when a block was stored must still hold, whatever is demanded by now", () => {
  const [wrong = ""] = proven(
    loseHash,
    { verified: ["hash", "a check of a later release"] },
    { level: "off" },
  );
  assert.match(wrong, /^blocks: hash: /);
  assert.match(
    proven(loseHash, { verified: ["hash"] }, { rules: rulesFor(999) })[0] ?? "",
    /^blocks: hash: /,
  );
});
