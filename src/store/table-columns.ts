import type { Extra, Header, Receipt } from "../block.js";
import type { Kind } from "../fields/field.js";
import type { Column, Owner, Table } from "../fields/tables.js";
import type { CopyColumn } from "./copy-table.js";
import type { CopyWriter } from "./copy-writer.js";

/** What a row is made of, beside its header: its own fields, and what else the object has that its columns tell. */
interface RowObject {
  readonly receipt?: Receipt;
  readonly extra?: Extra | null;
  readonly verified?: readonly string[];
  readonly transactions?: readonly unknown[];
  readonly logs?: readonly unknown[];
}

type Write = (out: CopyWriter, row: RowObject, header: Header) => void;

/** The columns of a table, each with what writes it: they follow from its description. */
export function tableColumns<Row>({
  name,
  columns,
}: Table): readonly [CopyColumn<Row>, ...CopyColumn<Row>[]] {
  const made = columns.map((column) => [column.name, writeOf(column) as Write, column.digest] as const);
  const [first, ...others] = made as unknown as CopyColumn<Row>[];
  if (first === undefined) throw new TypeError(`${name} has no columns`);
  return [first, ...others];
}

function writeOf({ type, value }: Column): Write {
  if ("count" in value) {
    const { count } = value;
    // The block's own, or those of a transaction's receipt.
    return (out, row) => out.int4(((row.receipt ?? row) as RowObject)[count]?.length ?? 0);
  }
  if ("made" in value) {
    if (value.made === "verified") return (out, row) => out.textArray(row.verified ?? []);
    return (out, row, header) => out.jsonb(extraOf(row, header));
  }
  const { name, item, field } = value;
  const write = fieldWriterOf(field.kind, type);
  const read = ownerOf(value.of);
  if (item !== undefined) {
    return (out, row, header) => write(out, (read(row, header)[name] as readonly unknown[])[item] ?? null);
  }
  return (out, row, header) => write(out, read(row, header)[name]);
}

function ownerOf(owner: Owner): (row: RowObject, header: Header) => Record<string, unknown> {
  switch (owner) {
    case "header":
      return (_, header) => header as unknown as Record<string, unknown>;
    case "receipt":
      return ({ receipt }) => receipt as unknown as Record<string, unknown>;
    case "row":
      return (row) => row as unknown as Record<string, unknown>;
  }
}

/** What the node sent beyond the columns; of a transaction, the receipt's part under "receipt". */
function extraOf({ extra, receipt }: RowObject, header: Header): Extra | null {
  if (receipt === undefined) return header.extra;
  return receipt.extra === null ? (extra ?? null) : { ...extra, receipt: receipt.extra };
}

/** What writes a value of a kind into a column of a type. The values are those that the parser let through. */
function fieldWriterOf(kind: Kind, type: string): (out: CopyWriter, value: unknown) => void {
  switch (kind.is) {
    case "integer":
      if (type === "smallint") return (out, value) => out.int2(value as number | null);
      if (type === "int") return (out, value) => out.int4(value as number | null);
      return (out, value) => out.int8(value as number | null);
    case "time":
      return (out, value) => out.timestamptz(value as number | null);
    case "quantity":
      return (out, value) => out.numeric(value as `0x${string}` | null);
    case "word":
      return (out, value) => out.bytea32(value as `0x${string}` | null);
    case "bytes":
    case "data":
      return (out, value) => out.bytea(value as `0x${string}` | null);
    case "words":
      return (out, value) => out.byteaArray(value as readonly `0x${string}`[] | null);
    case "objects":
      return (out, value) => out.jsonb(value as object | null);
    case "text":
      return (out, value) => out.text(value as string);
    case "false":
      throw new TypeError("A field that must be false has no column");
  }
}
