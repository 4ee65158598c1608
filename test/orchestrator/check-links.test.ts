import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hex } from "../../src/block.js";
import { BrokenLinkError } from "../../src/store/check-links.js";
import { createEncoder, type EncodedBlock } from "../../src/store/encode-block.js";
import { rowsOf } from "../support/stored-block.js";
import { checkLinks, writeBlocks } from "../support/write-blocks.js";
import { useWorld } from "./scene.js";

const world = useWorld();
const { encode } = createEncoder();

const hashOf = (name: string): Hex => `0x${Buffer.from(name).toString("hex").padStart(64, "0")}`;

/** A block without transactions, by its name and its parent's. */
function block(number: number, name: string, parent: string): EncodedBlock {
  const rows = rowsOf({ number });
  return encode({
    ...rows,
    header: { ...rows.header, hash: hashOf(name), parentHash: hashOf(parent) },
    transactions: [],
    logs: [],
    withdrawals: [],
    tokenTransfers: [],
  });
}

async function write(blocks: EncodedBlock[]): Promise<void> {
  const client = await world.pool.connect();
  try {
    await client.query("begin");
    await checkLinks(client, blocks);
    await writeBlocks(client, blocks);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback");
    throw error;
  } finally {
    client.release();
  }
}

test("a block is written beside neighbours that it links to, or beside none", async () => {
  await write([block(10, "a10", "a9")]);
  await write([block(12, "a12", "a11"), block(13, "a13", "a12")]);
  await write([block(11, "a11", "a10")]);
  await write([block(20, "z20", "z19")]);
  await write([block(11, "a11", "a10")]);
});

test("a block that names another parent than the stored one is refused", async () => {
  await write([block(10, "a10", "a9")]);
  await assert.rejects(write([block(11, "b11", "b10")]), BrokenLinkError);
});

test("a block that a stored child does not name is refused", async () => {
  await write([block(11, "a11", "a10")]);
  await assert.rejects(write([block(10, "b10", "b9")]), BrokenLinkError);
});

test("a block that would replace one that is linked to is refused, also inside a batch", async () => {
  await write([block(10, "a10", "a9"), block(11, "a11", "a10")]);
  await assert.rejects(write([block(11, "b11", "a10"), block(12, "a12", "a11")]), BrokenLinkError);
  await assert.rejects(write([block(10, "b10", "a9")]), BrokenLinkError);
});

test("of two neighbours of different branches that are committed at the same moment, one is refused", async () => {
  const first = await world.pool.connect();
  try {
    await first.query("begin");
    await checkLinks(first, [block(10, "a10", "a9")]);
    const second = write([block(11, "b11", "b10")]);
    // It waits: whether it may be written is not known before the first has ended.
    const early = await Promise.race([
      second.then(
        () => "early",
        () => "early",
      ),
      new Promise((go) => setTimeout(go, 50)),
    ]);
    assert.equal(early, undefined);
    await writeBlocks(first, [block(10, "a10", "a9")]);
    await first.query("commit");
    await assert.rejects(second, BrokenLinkError);
  } finally {
    first.release();
  }
});

test("batches that are apart do not wait for each other, and many that touch end without a deadlock", async () => {
  const first = await world.pool.connect();
  try {
    await first.query("begin");
    await checkLinks(first, [block(10, "a10", "a9")]);
    await write([block(12, "a12", "a11")]);
    await first.query("commit");
  } finally {
    first.release();
  }
  const chain = Array.from({ length: 40 }, (_, i) => block(100 + i, `a${100 + i}`, `a${99 + i}`));
  await Promise.all([0, 1, 2, 3, 4].map((lane) => write(chain.filter((_, i) => i % 5 === lane))));
});
