// The tables of the chain's rows: their columns in order, and what each of them holds.

import { entriesOf, type Field, type Fields, isNullable } from "./field.js";
import { headerFields } from "./header.js";
import { columnType } from "./kinds.js";
import { logFields } from "./log.js";
import { receiptFields } from "./receipt.js";
import { tokenTransferFields } from "./token-transfer.js";
import { transactionFields } from "./transaction.js";
import { withdrawalFields } from "./withdrawal.js";

/** Whose field a column holds: the block's header, the row's own object, or a transaction's receipt. */
export type Owner = "header" | "row" | "receipt";

/** What a column holds: a field, or an item of one that is a list; or what follows from more than one field. */
export type ColumnValue =
  | { readonly of: Owner; readonly name: string; readonly field: Field; readonly item?: number }
  /** How many rows of that table belong to the row. */
  | { readonly count: "transactions" | "logs" }
  /** What a node sent beyond the columns. */
  | { readonly made: "extra" }
  /** What was proven of the block. */
  | { readonly made: "verified" };

export interface Column {
  readonly name: string;
  /** As schema.sql writes it. */
  readonly type: string;
  readonly isNullable: boolean;
  /** The first digest version that covers it. */
  readonly digest: number;
  readonly value: ColumnValue;
}

/** `name`: in PostgreSQL. The first column says which block a row belongs to. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
}

const blockNumber = columnOf("block_number", { of: "header", name: "number", field: headerFields.number });
const extra: Column = {
  name: "extra",
  type: "jsonb",
  isNullable: true,
  digest: 1,
  value: { made: "extra" },
};

/** A block's own row, but for its digest, which covers it. */
export const BLOCKS = table("blocks", [
  ...columnsOf("header", headerFields),
  countOf("transactions"),
  countOf("logs"),
  extra,
  { name: "verified", type: "text[]", isNullable: false, digest: 1, value: { made: "verified" } },
]);

/** A transaction with its receipt's fields merged in. */
export const TRANSACTIONS = table("transactions", [
  ...columnsOf("row", transactionFields),
  ...columnsOf("receipt", receiptFields),
  countOf("logs"),
  extra,
]);

export const LOGS = table("logs", columnsOf("row", logFields));

export const WITHDRAWALS = table("withdrawals", [blockNumber, ...columnsOf("row", withdrawalFields)]);

export const TOKEN_TRANSFERS = table("token_transfers", [
  blockNumber,
  ...columnsOf("row", tokenTransferFields),
]);

/** All of them. */
export const TABLES: readonly Table[] = [BLOCKS, TRANSACTIONS, LOGS, WITHDRAWALS, TOKEN_TRANSFERS];

/** Columns are added at a table's end, so they stand in the order of the digest versions that cover them. */
function table(name: string, columns: readonly Column[]): Table {
  return { name, columns: columns.toSorted((a, b) => a.digest - b.digest) };
}

function columnsOf(of: Owner, fields: Fields): Column[] {
  return entriesOf(fields).flatMap(([name, field]) => {
    const { column, kind } = field;
    if (column === undefined) return [];
    if (typeof column === "string") return columnOf(column, heldIn(of, name, field));
    // Each item of a list has a column of its own, and there may be fewer items.
    if (kind.is !== "words") throw new TypeError(`${name}: only a list of words has a column for each item`);
    const { digest = 1 } = field;
    const own = { kind: { is: "bytes", bytes: 32 }, optional: "a shorter list", digest } as const;
    return column.map((each, item) => columnOf(each, { of, name, field: own, item }));
  });
}

/** What another object says as well is taken from there, unless the row's own object keeps it. */
function heldIn(of: Owner, name: string, field: Field): Extract<ColumnValue, { of: Owner }> {
  if (field.kept !== true && field.repeats === "block.number")
    return { of: "header", name: "number", field: headerFields.number };
  if (field.kept !== true && field.repeats === "block.hash")
    return { of: "header", name: "hash", field: headerFields.hash };
  return { of, name, field };
}

function columnOf(name: string, value: Extract<ColumnValue, { of: Owner }>): Column {
  const { field } = value;
  return {
    name,
    type: columnType(field.kind),
    isNullable: isNullable(field),
    digest: field.digest ?? 1,
    value,
  };
}

function countOf(table: "transactions" | "logs"): Column {
  const name = table === "logs" ? "log_count" : "transaction_count";
  return { name, type: "int", isNullable: false, digest: 1, value: { count: table } };
}
