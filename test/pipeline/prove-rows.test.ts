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
import { proveRows } from "../../src/pipeline/prove-rows.js";
import type { LoadedBlock } from "../../src/store/load-blocks.js";

const chain = new Chain(chainOptions({}));
const prover = {
  verifier: createVerifier(),
  rules: rulesFor(chain.options.chainId),
  recoverSenders: true,
  digest: "0xaa",
};

function parsed(): Block {
  const stored = chain.block(MAIN, 1);
  const read = (body: "full" | "receipts") => JSON.parse(String(stored?.read(body)));
  return parseBlock(read("full"), read("receipts"), { endpoint: "made up", number: 1 });
}

/** What is found wrong with a block whose rows were changed. */
function proven(
  change: (block: Block, transfers: TokenTransfer[]) => void,
  loaded: Partial<LoadedBlock> = {},
): string[] {
  const block = parsed();
  const tokenTransfers = decodeTokenTransfers(block);
  change(block, tokenTransfers);
  const rows = {
    number: 1,
    digest: "0xaa",
    contradictions: [],
    rebuilt: { block, tokenTransfers },
    ...loaded,
  };
  return proveRows(rows as unknown as LoadedBlock, prover).map(
    ({ table, field, expected, actual }) => `${table}: ${field}: ${expected}, not ${actual}`,
  );
}

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
  const loaded = { number: 1, digest: "0xbb", contradictions: [], rebuilt: null } as unknown as LoadedBlock;
  assert.deepEqual(proveRows(loaded, { ...prover, digest: undefined }), []);
});

test("a block that cannot even be encoded is wrong, and no error", () => {
  const [wrong = ""] = proven((block) => {
    block.header.gasLimit = "not hex" as "0x0";
  });
  assert.match(wrong, /^blocks: /);
});
