// From an event's or a call's parameters to the columns of its table, and where each column's value lies.

import type { AbiParameter } from "viem";
import { cutName, freeName, mostNameBytes, snakeCase } from "./identifiers.js";
import { type AbiType, nameOf, parseType, sumOf } from "./parse-type.js";
import { SignatureError } from "./signature-error.js";

export type ScalarPostgresType = "integer" | "bigint" | "numeric(78,0)" | "boolean" | "bytea" | "text";
export type PostgresType = ScalarPostgresType | `${ScalarPostgresType}[]` | "jsonb";

/** Where a value stands: in a topic, or at a byte of a frame of the data. */
export type Place = { topic: number } | { frame: number; byte: number };

/** A column that an argument, or a field of a struct, becomes. */
export interface Column {
  /** As PostgreSQL has it; at most 63 bytes. psql takes it without quotes. */
  name: string;
  type: PostgresType;
  /** For COMMENT ON COLUMN: quotes the signature's part. */
  comment: string;
  /** How the argument is written in `rename` and `where`: its name, or its index from 0; a struct's field is `order.maker`. */
  argument: string;
  /** The argument by its index, whether it is named or not: `0.1` is the second field of the first argument. */
  path: string;
  /** `indexed` and dynamic, an array or a struct: the log has only its keccak256. */
  hashed: boolean;
  abiType: AbiType;
  place: Place;
}

/**
 * What fields are counted from. Frame 0 is the data. A struct that holds something dynamic lies elsewhere: its frame
 * begins where the offset at `byte` of its parent says.
 */
export interface Frame {
  parent: number;
  byte: number;
  /** Bytes that its fields take where they stand. */
  headBytes: number;
}

export interface Layout {
  columns: readonly Column[];
  frames: readonly Frame[];
  /** Topics of the arguments. */
  indexed: number;
}

/** New names by the argument's name, index or path (`{ "amount0In": "paid", "3": "pair_count" }`). */
export type Renames = Readonly<Record<string, string>>;

/** PostgreSQL allows 1,600 columns in a table. */
const mostColumns = 1_500;

/**
 * @param firstTopic The topic of the first indexed argument: 1, or 0 where the event is anonymous.
 * @param taken Names of columns that the table has besides.
 */
export function flatten(
  inputs: readonly AbiParameter[],
  {
    firstTopic,
    taken,
    renames = {},
  }: { firstTopic: number; taken: ReadonlySet<string>; renames?: Renames | undefined },
): Layout {
  const columns: Column[] = [];
  const unused = new Set(Object.keys(renames));
  let topic = firstTopic;
  let byte = 0;

  const add = (
    { words, argument, path }: Named,
    {
      abiType,
      place,
      quoted,
      hashed = false,
    }: { abiType: AbiType; place: Place; quoted: string; hashed?: boolean },
  ) => {
    const key = [argument, path].find((each) => Object.hasOwn(renames, each));
    const renamed = key === undefined ? undefined : renames[key];
    if (key !== undefined) unused.delete(key);
    const name = renamed ?? freeName(cutName(words.join("_") + (hashed ? "_hash" : "")), taken);
    if (renamed !== undefined) checkRename(argument, renamed, taken);
    const other = columns.find((each) => each.name === name);
    if (other !== undefined)
      throw new SignatureError(
        `the arguments ${other.argument} (${other.path}) and ${argument} (${path}) both become the column ${name}: rename one of them`,
      );
    const comment = hashed
      ? `keccak256 of the argument: ${quoted}. The log has no more of it.`
      : `The argument: ${quoted}.`;
    const type = hashed ? "bytea" : columnType(abiType);
    columns.push({ name, type, comment, argument, path, hashed, abiType, place });
    if (columns.length > mostColumns) throw new SignatureError(`more than ${mostColumns} columns`);
  };

  const frames: Frame[] = [{ parent: 0, byte: 0, headBytes: 0 }];

  const addValue = (named: Named, abiType: AbiType, quoted: string, frame: number, at: number): void => {
    if (abiType.kind !== "struct") {
      add(named, { abiType, place: { frame, byte: at }, quoted });
      return;
    }
    let inner = frame;
    let next = at;
    if (abiType.dynamic) {
      inner = frames.length;
      frames.push({ parent: frame, byte: at, headBytes: sumOf(abiType.fields) });
      next = 0;
    }
    for (const [index, field] of abiType.fields.entries()) {
      const part = `${field.type.canonical}${field.name === "" ? "" : ` ${field.name}`}`;
      addValue(inside(named, field.name, index), field.type, `${part} of ${quoted}`, inner, next);
      next += field.type.headBytes;
    }
  };

  for (const [index, input] of inputs.entries()) {
    const abiType = parseType(input);
    const isIndexed = "indexed" in input && input.indexed === true;
    const name = nameOf(input);
    const quoted = [abiType.canonical, isIndexed ? "indexed" : "", name]
      .filter((each) => each !== "")
      .join(" ");
    const named = {
      words: [wordsOf(name, index)],
      argument: name === "" ? String(index) : name,
      path: String(index),
    };
    if (isIndexed) {
      const hashed = abiType.dynamic || abiType.kind === "array" || abiType.kind === "struct";
      add(named, { abiType, place: { topic }, quoted, hashed });
      topic += 1;
    } else {
      addValue(named, abiType, quoted, 0, byte);
      byte += abiType.headBytes;
    }
  }
  const [data] = frames;
  if (data !== undefined) data.headBytes = byte;
  if (unused.size > 0) throw unknownRename([...unused], columns);
  return { columns, frames, indexed: topic - firstTopic };
}

interface Named {
  words: readonly string[];
  argument: string;
  path: string;
}

function inside({ words, argument, path }: Named, name: string, index: number): Named {
  return {
    words: [...words, wordsOf(name, index)],
    argument: `${argument}.${name === "" ? index : name}`,
    path: `${path}.${index}`,
  };
}

function wordsOf(name: string, index: number): string {
  return snakeCase(name) || `arg${index}`;
}

function checkRename(argument: string, name: string, taken: ReadonlySet<string>): void {
  if (
    typeof name !== "string" ||
    name === "" ||
    name.includes("\0") ||
    Buffer.byteLength(name) > mostNameBytes
  )
    throw new SignatureError(`rename of ${argument}: expected a name of 1 to ${mostNameBytes} bytes`);
  if (taken.has(name))
    throw new SignatureError(`rename of ${argument}: every such table has a column ${name}`);
}

function unknownRename(keys: readonly string[], columns: readonly Column[]): SignatureError {
  const known = columns.map(({ argument, path }) => (argument === path ? path : `${argument} or ${path}`));
  return new SignatureError(
    `rename of ${keys.join(", ")}: no such argument; there are ${known.join(", ") || "none"}`,
  );
}

export function columnType(type: AbiType): PostgresType {
  if (type.kind === "struct") return "jsonb";
  if (type.kind !== "array") return scalarType(type);
  const { item } = type;
  // Arrays in PostgreSQL are rectangular, those of a contract need not be.
  return item.kind === "array" || item.kind === "struct" ? "jsonb" : `${scalarType(item)}[]`;
}

function scalarType(type: AbiType): ScalarPostgresType {
  switch (type.kind) {
    case "integer": {
      const bits = type.bytes * 8 - (type.signed ? 1 : 0);
      return bits <= 31 ? "integer" : bits <= 63 ? "bigint" : "numeric(78,0)";
    }
    case "bool":
      return "boolean";
    case "string":
      return "text";
    default:
      return "bytea";
  }
}
