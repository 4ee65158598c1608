// A table as the store sees it: its columns, each beside what writes it, and the rows of a block.

import type { Header } from "../block.js";
import type { BlockRows } from "../transform/to-rows.js";
import { CopyWriter } from "./copy-writer.js";

/** Bytes per COPY message. Large enough to cost little, small enough that no table is held twice. */
const CHUNK_BYTES = 256 * 1024;

export interface CopyTable {
  name: string;
  /** The column that says which block a row belongs to. */
  blockColumn: string;
  copy: string;
  count(blocks: readonly BlockRows[]): number;
  /** The rows in the binary COPY format, encoded while they are read. */
  encode(blocks: readonly BlockRows[]): Iterable<Buffer>;
}

/** A column's name, and what writes a row's value for it. */
export type Column<Row> = readonly [name: string, write: (out: CopyWriter, row: Row, header: Header) => void];

export function copyTable<Row>(
  name: string,
  rowsOf: (block: BlockRows) => readonly Row[],
  columns: readonly [Column<Row>, ...Column<Row>[]],
): CopyTable {
  return {
    name,
    blockColumn: columns[0][0],
    copy: `copy ${name} (${columns.map(([column]) => column).join(", ")}) from stdin (format binary)`,
    count: (blocks) => blocks.reduce((sum, block) => sum + rowsOf(block).length, 0),
    encode: (blocks) => encodeRows(blocks, rowsOf, columns),
  };
}

function* encodeRows<Row>(
  blocks: readonly BlockRows[],
  rowsOf: (block: BlockRows) => readonly Row[],
  columns: readonly Column<Row>[],
): Generator<Buffer> {
  const out = new CopyWriter(CHUNK_BYTES * 2);
  out.header();
  for (const block of blocks) {
    for (const row of rowsOf(block)) {
      out.row(columns.length);
      for (const [, write] of columns) write(out, row, block.header);
      if (out.length >= CHUNK_BYTES) yield out.take();
    }
  }
  out.trailer();
  yield out.take();
}
