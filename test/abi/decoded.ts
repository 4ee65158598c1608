// What a compiled event makes of a log, read back from the bytes that go to PostgreSQL.

import type { CompiledCall, CompiledEvent } from "../../src/abi/compile.js";
import { FieldWriter, viewOf } from "../../src/abi/field-writer.js";
import type { PostgresType } from "../../src/abi/flatten.js";
import type { RawLog } from "../../src/abi/reading.js";

/** A field: numbers as bigint, bytea as 0x text, jsonb parsed; null. */
export type Field = bigint | boolean | string | null | Field[] | { [key: string]: Field };

export interface HexLog {
  topics: readonly string[];
  data: string;
}

/** The log's bytes, at odd places of a larger memory, as they lie in a batch. */
export function rawLog({ topics, data }: HexLog): RawLog {
  const parts = ["0xff", ...topics, "0xee", data].map((hex) => Buffer.from(hex.slice(2), "hex"));
  const places: number[] = [];
  let at = 0;
  for (const part of parts) {
    places.push(at);
    at += part.length;
  }
  // What lies behind the data must not be read: it is no zeros.
  const bytes = Buffer.concat([...parts, Buffer.alloc(64, 0xdd)]);
  return {
    ...{ bytes, view: viewOf(bytes), topicCount: topics.length, topics: places.slice(1, 1 + topics.length) },
    ...{ dataAt: places.at(-1) ?? 0, dataLength: parts.at(-1)?.length ?? 0 },
  };
}

/** The row's fields by their columns' names, `undecodable` among them; undefined: the log does not fit. */
export function decoded(of: CompiledEvent | CompiledCall, log: HexLog): Record<string, Field> | undefined {
  const out = new FieldWriter(Buffer.alloc(8));
  out.row(7);
  if (!of.decode(rawLog(log), out)) {
    if (out.at !== 2) throw new Error("something was written of a log that does not fit");
    return undefined;
  }
  const columns = [...of.columns, { name: "undecodable", type: "text[]" as const }];
  const reader = new FieldReader(out.memory.subarray(0, out.at), 2);
  const row = Object.fromEntries(columns.map(({ name, type }) => [name, reader.read(type)]));
  if (reader.at !== out.at) throw new Error(`${out.at - reader.at} bytes more than fields`);
  return row;
}

const typeOfOid: Record<number, PostgresType> = {
  ...{ 16: "boolean", 17: "bytea", 20: "bigint", 23: "integer", 25: "text", 1700: "numeric(78,0)" },
};

class FieldReader {
  constructor(
    readonly bytes: Buffer,
    public at: number,
  ) {}

  read(type: PostgresType): Field {
    const length = this.bytes.readInt32BE(this.at);
    this.at += 4;
    if (length === -1) return null;
    const field = this.bytes.subarray(this.at, this.at + length);
    if (field.length !== length) throw new Error(`a field of ${length} bytes, and ${field.length} are left`);
    this.at += length;
    return fieldValue(type, field);
  }
}

function fieldValue(type: PostgresType, field: Buffer): Field {
  if (type.endsWith("[]")) return arrayOf(type, field);
  switch (type) {
    case "integer":
      return BigInt(field.readInt32BE());
    case "bigint":
      return field.readBigInt64BE();
    case "numeric(78,0)":
      return numericOf(field);
    case "boolean":
      if (field.length !== 1) throw new Error("a boolean of several bytes");
      return field[0] === 1;
    case "bytea":
      return `0x${field.toString("hex")}`;
    case "text":
      return field.toString("utf8");
    default:
      if (field[0] !== 1) throw new Error("jsonb of another version");
      return JSON.parse(field.toString("utf8", 1));
  }
}

function arrayOf(type: PostgresType, field: Buffer): Field[] {
  const dimensions = field.readInt32BE(0);
  const item = typeOfOid[field.readInt32BE(8)];
  if (`${item}[]` !== type) throw new Error(`an array of ${item}, expected ${type}`);
  if (dimensions === 0) return [];
  if (dimensions !== 1 || field.readInt32BE(16) !== 1) throw new Error("an array of another shape");
  const reader = new FieldReader(field, 20);
  const items = Array.from({ length: field.readInt32BE(12) }, () => reader.read(item as PostgresType));
  if (reader.at !== field.length) throw new Error("an array longer than its items");
  return items;
}

/** https://github.com/postgres/postgres/blob/REL_18_0/src/backend/utils/adt/numeric.c, numeric_recv */
function numericOf(field: Buffer): bigint {
  const count = field.readInt16BE(0);
  const weight = field.readInt16BE(2);
  const sign = field.readInt16BE(4);
  let value = 0n;
  for (let i = 0; i <= weight; i += 1)
    value = value * 10_000n + (i < count ? BigInt(field.readInt16BE(8 + 2 * i)) : 0n);
  if (field.length !== 8 + 2 * count || count > weight + 1) throw new Error("a numeric of another length");
  if (count > 0 && (field.readInt16BE(8) === 0 || field.readInt16BE(6 + 2 * count) === 0))
    throw new Error("a numeric with digits that are zero in front or behind");
  return sign === 0x4000 ? -value : value;
}
