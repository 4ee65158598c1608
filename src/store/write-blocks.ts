import type { ClientBase } from "pg";
import type { Statement } from "../db/exchange.js";
import { CHAIN_TABLES, type ChainTable } from "./chain-tables.js";
import { copyHeader, copyTrailer } from "./copy-writer.js";
import { deleteBlockNumbers } from "./delete-blocks.js";
import type { EncodedBlock } from "./encode-block.js";

/** Makes room for these blocks where `stored` has their numbers. Most are new, and cost nothing. */
export async function deleteStored(
  client: ClientBase,
  blocks: readonly { number: number }[],
  stored: readonly { number: number }[],
): Promise<void> {
  const given = new Set(blocks.map(({ number }) => number));
  const numbers = stored.flatMap(({ number }) => (given.has(number) ? [number] : []));
  if (numbers.length > 0) await deleteBlockNumbers(client, numbers);
}

/**
 * Writes blocks with everything in them: a COPY for each table that has rows. Nothing may be stored under
 * their numbers. Each statement answers with the number of its rows.
 */
export function copyBlocks(blocks: readonly EncodedBlock[]): Statement<number>[] {
  return (Object.keys(CHAIN_TABLES) as ChainTable[]).flatMap((name) => {
    const filled = blocks.filter(({ counts }) => counts[name] > 0);
    if (filled.length === 0) return [];
    const { name: table, columns } = CHAIN_TABLES[name];
    return {
      query: { text: `copy ${table} (${columns.join(", ")}) from stdin (format binary)` },
      data: [copyHeader, ...filled.map(({ rows }) => rows[name]), copyTrailer],
      read: ({ rowCount }) => rowCount ?? 0,
    };
  });
}
