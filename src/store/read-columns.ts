import { blankOf } from "../fields/blank.js";
import { isNullable } from "../fields/field.js";
import type { Column, Owner, Table } from "../fields/tables.js";
import { isItemOf } from "./stored-item.js";
import type { StoredRow } from "./stored-row.js";

/**
 * Makes what reads the fields of one owner out of a table's rows: the inverse of table-columns.ts. A list whose items
 * have a column each is left to the caller.
 */
export function columnsReader<Fields>(table: Table, owner: Owner): (row: StoredRow) => Fields {
  const reads = table.columns.flatMap((column) => {
    const { value } = column;
    if (!("of" in value) || value.of !== owner || value.item !== undefined) return [];
    return [[value.name, readOf(column)] as const];
  });
  const blank = blankOf(reads.map(([name]) => name));
  return (row) => {
    const object = { ...blank };
    for (const [name, read] of reads) object[name] = read(row);
    return object as Fields;
  };
}

/** The columns that hold a list's items, in their order. */
export function itemColumns(table: Table, field: string): string[] {
  return table.columns.flatMap(({ name, value }) => {
    return "of" in value && value.item !== undefined && value.name === field ? [name] : [];
  });
}

function readOf({ name, value }: Column): (row: StoredRow) => unknown {
  if (!("of" in value)) throw new TypeError(`${name} holds no field`);
  const read = requiredReadOf(name, value.field.kind);
  return isNullable(value.field) ? (row) => (row.isNull(name) ? null : read(row)) : read;
}

function requiredReadOf(
  name: string,
  kind: Extract<Column["value"], { of: Owner }>["field"]["kind"],
): (row: StoredRow) => unknown {
  switch (kind.is) {
    case "integer":
      return (row) => row.integer(name, { max: kind.max });
    case "time":
      return (row) => row.seconds(name);
    case "quantity":
      return (row) => row.quantity(name, kind.bits);
    case "word":
      return (row) => row.word(name);
    case "bytes":
      return (row) => row.bytes(name, kind.bytes);
    case "data":
      return (row) => row.data(name);
    case "words":
      return (row) => row.words(name);
    case "objects":
      return (row) => row.list(name, isItemOf(kind.of), Object.keys(kind.of));
    case "text":
      return (row) => row.text(name, kind.oneOf);
    case "false":
      throw new TypeError(`${name}: a field that must be false has no column`);
  }
}
