// A table as the store sees it: its columns, each beside what writes it, and the rows of a block.

import type { Header } from "../block.js";
import type { CopyWriter } from "./copy-writer.js";
import type { BlockRows } from "./to-rows.js";

export interface CopyTable {
  name: string;
  /** The column that says which block a row belongs to. */
  blockColumn: string;
  columns: readonly string[];
  /** How many rows a block has. */
  count(block: BlockRows): number;
  /** Appends the block's rows in the binary COPY format, without the format's header and trailer. */
  write(out: CopyWriter, block: BlockRows): void;
}

/** A column's name, and what writes a row's value for it. */
export type Column<Row> = readonly [name: string, write: (out: CopyWriter, row: Row, header: Header) => void];

export function copyTable<Row>(
  name: string,
  rowsOf: (block: BlockRows) => readonly Row[],
  columns: readonly [Column<Row>, ...Column<Row>[]],
): CopyTable {
  const writers = columns.map(([, write]) => write);
  return {
    name,
    blockColumn: columns[0][0],
    columns: columns.map(([column]) => column),
    count: (block) => rowsOf(block).length,
    write(out, block) {
      for (const row of rowsOf(block)) {
        out.row(columns.length);
        for (const write of writers) write(out, row, block.header);
      }
    },
  };
}
