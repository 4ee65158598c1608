/** A table that holds rows of blocks. */
export interface ChainTable {
  /** Its name in the database. */
  name: string;
  /** What counts of its rows are called. */
  key: string;
  /** The column that says which block a row belongs to. */
  blockColumn: string;
}

/** A column, and the first version of blocks.digest that covers it. */
export interface CoveredColumn {
  name: string;
  since: number;
}

/** One whose rows blockmill writes. */
export interface CopyTable extends ChainTable {
  /** The block's column first. */
  columns: readonly string[];
}
