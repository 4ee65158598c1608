import pg from "pg";
import { BlockmillError } from "../errors.js";

/** Rows of a derived table cannot be written or removed. It is never the block's fault, and never costs one. */
export class DerivedRowsError extends BlockmillError {
  readonly disposition = "retry";
  /** The table whose rows they are. */
  readonly table: string;

  constructor(table: string, cause: Error) {
    super(`${table}: ${cause.message}`, { table }, { cause });
    this.table = table;
  }
}

// The connection, the server's end, its disk or its memory: nothing that a table of ours could be blamed for.
const others = /^(08|57P|58|XX)/;

/** What the server's refusal of a statement on a derived table means. What is not that table's fault is returned as it is. */
export function asDerivedRowsError(table: string, error: Error): Error {
  const isTables = error instanceof pg.DatabaseError && !others.test(error.code ?? "");
  return isTables ? new DerivedRowsError(table, error) : error;
}
