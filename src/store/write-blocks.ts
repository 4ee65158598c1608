import type { Statement } from "../db/exchange.js";
import type { CopyTable } from "./chain-table.js";
import { BLOCK_TABLES } from "./chain-tables.js";
import { copyHeader, copyTrailer } from "./copy-writer.js";
import type { EncodedBlock } from "./encode-block.js";

/**
 * Writes blocks with everything in them: a COPY for each table that has rows. Nothing may be stored under
 * their numbers. Each statement answers with the number of its rows.
 */
export function copyBlocks(blocks: readonly EncodedBlock[]): Statement<number>[] {
  const derived = new Map(
    blocks.flatMap((block) => block.derived.map((table) => [table.key, table] as const)),
  );
  const tables: CopyTable[] = [...Object.values<CopyTable>(BLOCK_TABLES), ...derived.values()];
  return tables.flatMap(({ name, key, columns }) => {
    const pieces = blocks.flatMap(({ rows }) => {
      const piece = rows[key];
      return piece === undefined || piece.length === 0 ? [] : [piece];
    });
    if (pieces.length === 0) return [];
    return {
      query: { text: `copy "${name}" (${columns.join(", ")}) from stdin (format binary)` },
      data: [copyHeader, ...pieces, copyTrailer],
      read: ({ rowCount }) => rowCount ?? 0,
    };
  });
}
