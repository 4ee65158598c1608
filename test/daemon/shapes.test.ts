// Some of the odd shapes (test/shapes) over the wire, through a real daemon, into PostgreSQL.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { toRows } from "../../src/store/to-rows.js";
import {
  asShaped,
  shaped,
  shapes,
  storedBlock,
  usualBlock,
  usualNumber,
  usualWishes,
} from "../shapes/shape.js";
import { assertStored } from "../support/stored-block.js";
import { assertCleanStop, setScene } from "./scene.js";

const some = ["celo-v1-header.json", "legacy-v-for-parity.json"];

for (const file of some) {
  test(`a daemon stores ${file} as it says`, async (t) => {
    const shape = shapes.find((each) => each.file === file) ?? assert.fail(`${file} is gone`);
    const { id: chainId } = shape.chain;
    const { transactions: _t, ...wishes } = usualWishes;
    const scene = await setScene(t, { node: { ...wishes, transactions: 16, chainId, head: 10 } });
    const usual = usualBlock(chainId);
    const odd = shaped(usual, shape);
    const always = { kind: "result", block: usualNumber, count: 0 } as const;
    await scene.node.mutate({ ...always, method: "eth_getBlockByNumber", value: odd.block });
    await scene.node.mutate({ ...always, method: "eth_getBlockReceipts", value: odd.receipts });
    const daemon = await scene.start({ chain: { verify: shape.verify } });
    await scene.insert(usualNumber);
    await scene.settled();
    const { block } = storedBlock(usual, shape);
    // What the chain's rules leave out is tried, and need not hold of an odd block.
    const { verified } = storedBlock(odd, shape);
    const expected = asShaped(block, shape);
    const client = await scene.pool.connect();
    try {
      await assertStored(client, toRows(expected, decodeTokenTransfers(expected), verified));
    } finally {
      client.release();
    }
    await assertCleanStop(daemon, scene.pool);
  });
}
