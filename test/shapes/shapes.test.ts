// The odd shapes of blocks: each is stored as its file says, and the direct way takes it so or leaves it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Block } from "../../src/block.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { toRows } from "../../src/store/to-rows.js";
import { bothWays, textsOf } from "../direct/both-ways.js";
import { asShaped, shaped, shapes, storedBlock, usualBlock, usualNumber } from "./shape.js";

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
    const { verified } = stored;
    assert.deepEqual(rowsOf(stored), rowsOf({ block: asShaped(expected.block, shape), verified }));
    // What the chain's rules leave out is tried, and need not hold of an odd block.
    assert.deepEqual(
      verified.filter((check) => !expected.verified.includes(check)),
      [],
    );
    assert.deepEqual([...warned], shape.warns ?? []);
    ways[shape.verify].take(textsOf(odd), { number: usualNumber, chainId: shape.chain.id });
  });
}

function rowsOf({ block, verified }: { block: Block; verified: readonly string[] }): unknown {
  const { rows } = encode(toRows(block, decodeTokenTransfers(block), verified));
  return Object.fromEntries(Object.entries(rows).map(([table, bytes]) => [table, bytes.toString("latin1")]));
}
