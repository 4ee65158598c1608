import type { ClientBase } from "pg";
import { sendTogether } from "../../src/db/exchange.js";
import { assertLinked, lockEdges, storedAround } from "../../src/store/check-links.js";
import { deleteBlockNumbers } from "../../src/store/delete-blocks.js";
import type { EncodedBlock } from "../../src/store/encode-block.js";
import { copyBlocks } from "../../src/store/write-blocks.js";

/** Writes blocks in place of what is stored under their numbers, and returns how many rows they have. */
export async function writeBlocks(client: ClientBase, blocks: readonly EncodedBlock[]): Promise<number> {
  const [around] = await sendTogether(client, [storedAround(blocks)]);
  const given = new Set(blocks.map(({ number }) => number));
  const stored = around.flatMap(({ number }) => (given.has(number) ? [number] : []));
  if (stored.length > 0) await deleteBlockNumbers(client, stored);
  const counts = await sendTogether(client, copyBlocks(blocks));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Throws a BrokenLinkError unless they link, and holds off the writers of their neighbours. */
export async function checkLinks(client: ClientBase, blocks: readonly EncodedBlock[]): Promise<void> {
  const [, stored] = await sendTogether(client, [lockEdges(blocks), storedAround(blocks)]);
  assertLinked(blocks, stored);
}
