// A table of what follows from a block's rows: a decoded event, a transform. It is made at run time, and
// blocks.digest does not cover it.

import type { CopyTable } from "./chain-table.js";
import type { CopyWriter } from "./copy-writer.js";

/** Its rows are whatever its columns write: the caller pairs them. */
export interface DerivedTable extends CopyTable {
  /** Appends rows of one block in the binary COPY format, without the format's header and trailer. */
  write(out: CopyWriter, number: number, rows: readonly unknown[]): void;
}

/** Rows of one block, with the table that writes them. */
export interface DerivedRows {
  table: DerivedTable;
  rows: readonly unknown[];
}

/** A column beside block_number: its name, and what writes a row's value for it. */
export type DerivedColumn<Row> = readonly [name: string, write: (out: CopyWriter, row: Row) => void];

export function derivedTable<Row>(name: string, columns: readonly DerivedColumn<Row>[]): DerivedTable {
  return {
    name,
    key: name,
    blockColumn: "block_number",
    columns: ["block_number", ...columns.map(([column]) => column)],
    write(out, number, rows) {
      for (const row of rows) {
        out.row(1 + columns.length);
        out.int8(number);
        for (const [, write] of columns) write(out, row as Row);
      }
    },
  };
}

/** Rows of these blocks in a derived table. */
export interface DerivedSpan {
  table: string;
  numbers: readonly number[];
  /** Of a table that several share: whose rows. */
  only?: { column: string; value: number };
}
