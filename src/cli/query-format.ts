// What a query gives, for people and programs. Values are PostgreSQL's text: no number loses digits.

import { formatTable, type Paint } from "./terminal.js";

export const queryFormats = ["table", "json", "csv"] as const;
export type QueryFormat = (typeof queryFormats)[number];

export interface QueryColumn {
  name: string;
  /** pg_type.oid */
  type: number;
}

export type Cell = string | null;

interface FormatOptions {
  columns: readonly QueryColumn[];
  rows: readonly (readonly Cell[])[];
  /** Rows came before these. */
  later: boolean;
  paint: Paint;
}

/** A part of the rows. In JSON, `[` comes before the first part and `]` behind the last: `queryFrame`. */
export function formatRows(format: QueryFormat, { columns, rows, later, paint }: FormatOptions): string {
  switch (format) {
    case "json":
      return rows
        .map((row, index) => `${later || index > 0 ? ",\n" : "\n"}  ${jsonRow(columns, row)}`)
        .join("");
    case "csv": {
      const lines = rows.map((row) => row.map((cell, i) => csvCell(shown(cell, columns[i]?.type))).join(","));
      return [...(later ? [] : [columns.map(({ name }) => csvCell(name)).join(",")]), ...lines]
        .map((line) => `${line}\r\n`)
        .join("");
    }
    case "table": {
      const isNumber = (type: number) => numbers.has(type);
      const heads = columns.map(
        ({ name, type }) => ({ head: name, align: isNumber(type) ? "right" : "left" }) as const,
      );
      return formatTable(
        heads,
        rows.map((row) => row.map((cell, i) => oneLine(shown(cell, columns[i]?.type) ?? ""))),
        paint,
      );
    }
  }
}

export const queryFrame: Record<QueryFormat, readonly [before: string, behind: string]> = {
  json: ["[", "\n]\n"],
  csv: ["", ""],
  table: ["", ""],
};

const bool = 16;
const bytea = 17;
const smallNumbers = new Set([20, 21, 23, 26]);
const numbers = new Set([...smallNumbers, 700, 701, 1700]);
const json = new Set([114, 3802]);
/** The types of arrays' items, by the arrays' own (pg_type.dat). */
const itemTypes = new Map([
  [1000, 16],
  [1001, 17],
  [1005, 21],
  [1007, 23],
  [1016, 20],
  [1009, 25],
  [1015, 25],
  [1231, 1700],
  [3807, 3802],
]);

/** For people and CSV: bytes as 0x text, arrays as JSON. */
function shown(cell: Cell, type = 0): Cell {
  if (cell === null) return null;
  if (type === bytea) return cell.replace(/^\\x/, "0x");
  if (type === bool) return cell === "t" ? "true" : "false";
  return itemTypes.has(type) ? jsonOf(cell, type) : cell;
}

function jsonRow(columns: readonly QueryColumn[], row: readonly Cell[]): string {
  const fields = columns.map(
    ({ name, type }, i) => `${JSON.stringify(name)}: ${jsonOf(row[i] ?? null, type)}`,
  );
  return `{${fields.join(", ")}}`;
}

/** Integers that every reader of JSON takes are numbers; larger ones, and numeric, are text. */
function jsonOf(cell: Cell, type: number): string {
  if (cell === null) return "null";
  const item = itemTypes.get(type);
  if (item !== undefined) return jsonArray(cell, item);
  if (json.has(type)) return cell;
  if (smallNumbers.has(type) && Number.isSafeInteger(Number(cell))) return cell;
  if (type === bool) return cell === "t" ? "true" : "false";
  return JSON.stringify(shown(cell, type));
}

/** PostgreSQL's text of an array: https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function jsonArray(text: string, item: number): string {
  // Bounds other than 1 stand before it.
  const tokens = text.replace(/^[^{]*=/, "").matchAll(/[{},]|"((?:[^"\\]|\\.)*)"|[^{},"]+/gs);
  let out = "";
  for (const [token, quoted] of tokens) {
    if (token === "{") out += "[";
    else if (token === "}") out += "]";
    else if (token === ",") out += ",";
    else if (quoted !== undefined) out += jsonOf(quoted.replace(/\\(.)/gs, "$1"), item);
    else out += token === "NULL" ? "null" : jsonOf(token, item);
  }
  return out;
}

/** RFC 4180; null is nothing, an empty text is "". */
function csvCell(cell: Cell): string {
  if (cell === null) return "";
  return cell === "" || /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** Whatever a contract wrote: a terminal obeys some of it. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/^[^\\]$/, "\\u007f"),
  );
}
