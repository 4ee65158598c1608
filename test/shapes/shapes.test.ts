// The odd shapes of blocks: each is stored as its file says, and the direct way takes it so or leaves it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Block } from "../../src/block.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { createProve } from "../../src/chain/prove-block.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { parseExactly } from "../../src/exact-number.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { toRows } from "../../src/store/to-rows.js";
import { bothWays, textsOf } from "../direct/both-ways.js";
import { type Raw, type RawAnswers, type Shape, shaped, shapes, usualBlock, usualNumber } from "./shape.js";

const { encode } = createEncoder();
const ways = { roots: bothWays("roots"), bloom: bothWays("bloom"), off: bothWays("off") };

test("there are shapes", () => assert(shapes.length > 40));

for (const shape of shapes) {
  test(`${shape.file}: ${shape.shape} (${shape.chain.name})`, () => {
    const usual = usualBlock(shape.chain.id);
    const odd = shaped(usual, shape);
    const warned = new Set<string>();
    const stored = storedBlock(odd, shape, (field) => warned.add(field));
    const expected = storedBlock(usual, shape, (field) => assert.fail(field));
    assert.deepEqual(rowsOf(stored), rowsOf({ ...expected, block: asShaped(expected.block, shape) }));
    assert.deepEqual([...warned], shape.warns ?? []);
    ways[shape.verify].take(textsOf(odd), { number: usualNumber, chainId: shape.chain.id });
  });
}

/** What the long way makes of a node's answers. */
function storedBlock(
  answers: RawAnswers,
  { chain, verify }: Shape,
  onWarning: (field: string) => void,
): { block: Block; verified: readonly string[] } {
  const prove = createProve({
    ...{ level: verify, recoverSenders: false, onRules() {} },
    onDerived({ field, told }) {
      if (told !== null) onWarning(field.replace(/\[\d+\]/g, "[]"));
    },
  });
  const { block, receipts } = parseExactly(JSON.stringify(answers)) as RawAnswers;
  const asked = { endpoint: "node", number: usualNumber };
  const parsed = parseBlock(block, receipts, asked, prove.lenience(usualNumber, chain.id));
  const verified = prove(parsed, { endpoint: "node", chainId: chain.id });
  return { block: parsed, verified };
}

function rowsOf({ block, verified }: { block: Block; verified: readonly string[] }): unknown {
  const { rows } = encode(toRows(block, decodeTokenTransfers(block), verified));
  return Object.fromEntries(Object.entries(rows).map(([table, bytes]) => [table, bytes.toString("latin1")]));
}

/** The usual block with what a shape's file says. */
function asShaped(usual: Block, { stored }: Shape): Block {
  const block = structuredClone(usual);
  for (const [at, value] of Object.entries(stored)) {
    if (at === "logs") {
      for (const { receipt } of block.transactions)
        for (const log of receipt.logs) log.logIndex += Number(String(value).slice(1));
      continue;
    }
    const steps = at.split(/[.[\]]+/).filter((step) => step !== "");
    const key = steps.pop() ?? "";
    const holder = steps.reduce<unknown>((inside, step) => (inside as Raw)[step], block) as Raw;
    assert(key in holder, `${at} is no field`);
    holder[key] = value;
  }
  return block;
}
