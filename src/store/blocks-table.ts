import { BLOCKS } from "../fields/tables.js";
import { coveredColumns } from "./copy-table.js";
import type { CopyWriter } from "./copy-writer.js";
import { tableColumns } from "./table-columns.js";
import type { BlockRows } from "./to-rows.js";

const columns = tableColumns<BlockRows>(BLOCKS);

const ownColumns: readonly string[] = ["digest_version", "digest"];

/** The table as it is copied into: what the digest can cover, then the digest's version, then the digest. */
export const blocksTable = {
  name: BLOCKS.name,
  blockColumn: "number",
  columns: [...columns.map(([name]) => name), ...ownColumns],
  covered: coveredColumns(columns),
};

/** Begins the block's row: all but what tells of the digest. */
export function beginBlocksRow(out: CopyWriter, block: BlockRows): void {
  out.row(blocksTable.columns.length);
  for (const [, write] of columns) write(out, block, block.header);
}
