// A table as the store sees it: its columns, each beside what writes it, and the rows of a block.

import type { Header } from "../block.js";
import type { CopyTable, CoveredColumn } from "./chain-table.js";
import type { CopyWriter } from "./copy-writer.js";
import type { BlockRows } from "./to-rows.js";

/** A table of schema.sql. */
export interface BlockTable extends CopyTable {
  /** What blocks.digest covers of it, in the order of the columns. */
  covered: readonly CoveredColumn[];
  /** How many rows a block has. */
  count(block: BlockRows): number;
  /** Appends the block's rows in the binary COPY format, without the format's header and trailer. */
  write(out: CopyWriter, block: BlockRows): void;
}

/**
 * A column's name, what writes a row's value for it, and the first version of blocks.digest that covers it (1, if it is
 * left out). The columns of a version that was released are never changed, in their order neither.
 */
export type CopyColumn<Row> = readonly [
  name: string,
  write: (out: CopyWriter, row: Row, header: Header) => void,
  since?: number,
];

export function coveredColumns<Row>(columns: readonly CopyColumn<Row>[]): CoveredColumn[] {
  return columns.map(([name, , since = 1]) => ({ name, since }));
}

export function copyTable<Row>(
  name: string,
  rowsOf: (block: BlockRows) => readonly Row[],
  columns: readonly [CopyColumn<Row>, ...CopyColumn<Row>[]],
): Omit<BlockTable, "key"> {
  const writers = columns.map(([, write]) => write);
  return {
    name,
    blockColumn: columns[0][0],
    columns: columns.map(([column]) => column),
    covered: coveredColumns(columns),
    count: (block) => rowsOf(block).length,
    write(out, block) {
      for (const row of rowsOf(block)) {
        out.row(columns.length);
        for (const write of writers) write(out, row, block.header);
      }
    },
  };
}
