// A SELECT over `logs` that gives the rows which an event's `decode` gives: a view, or a table for one query.
//
// PostgreSQL may evaluate a column before the condition that says whether the log fits (a condition of whoever reads the
// view is evaluated in the order of costs). So no expression here fails, whatever the bytes are: substring of a bytea and
// 'x...'::bit(n) do not; get_byte, convert_from without its check, and offsets beyond int4 would.

import { type CompiledEvent, undecodableColumn } from "./compile.js";
import type { Column } from "./flatten.js";
import { quoteName } from "./identifiers.js";
import type { AbiType } from "./parse-type.js";
import { SignatureError } from "./signature-error.js";

export interface EventSqlOptions {
  /** Of the tables logs and blocks. Undefined: whatever search_path finds. */
  schema?: string | undefined;
  /** Only logs of these contracts: 20 bytes each. */
  addresses?: readonly Buffer[] | undefined;
}

/**
 * The SELECT: `block_number, log_index, block_timestamp, transaction_hash, address`, the arguments, `undecodable`.
 * Conditions on block_number, address and topic0 reach the indexes of `logs`; `blocks` is read only where block_timestamp is.
 * Throws SignatureError for what plain SQL does not decode: arrays of text, of bytes, of arrays or of structs.
 */
export function eventSql(event: CompiledEvent, { schema, addresses }: EventSqlOptions = {}): string {
  const inSchema = (table: string) => (schema === undefined ? table : `${quoteName(schema)}.${table}`);
  const beyond = event.columns.find(({ abiType, hashed }) => !hashed && !isInSql(abiType));
  if (beyond !== undefined)
    throw new SignatureError(
      `${event.signature}: the argument ${beyond.argument} is ${beyond.abiType.canonical}, which a query over logs cannot decode; make a table of the event with the configuration's decode`,
    );
  const bases = frameBases(event);
  const values = event.columns.map((column) => columnValue(column, bases));
  const texts = values.flatMap(({ isText }, index) =>
    isText === undefined ? [] : [{ isText, name: event.columns[index]?.name ?? "" }],
  );
  const conditions = [
    ...(event.topic0 === undefined ? [] : [`l.topic0 = ${bytes(event.topic0)}`]),
    ...(addresses === undefined
      ? []
      : [`l.address = any (array[${addresses.map(bytes).join(", ")}]::bytea[])`]),
    ...(event.topics > 0 ? [`l.topic${event.topics - 1} is not null`] : []),
    ...(event.topics < 4 ? [`l.topic${event.topics} is null`] : []),
    `octet_length(l.data) ${event.exactData ? "=" : ">="} ${event.frames[0]?.headBytes ?? 0}`,
    ...bases.slice(1).flatMap(({ fits }) => fits),
    ...values.flatMap(({ fits }) => fits),
  ];
  const columns = [
    "l.block_number",
    "l.log_index",
    "b.timestamp as block_timestamp",
    "l.transaction_hash",
    "l.address",
    ...event.columns.map(({ name }, index) => `${values[index]?.sql} as ${quoteName(name)}`),
    `${undecodable(texts)} as ${undecodableColumn}`,
  ];
  return `select
  ${columns.join(",\n  ")}
from ${inSchema("logs")} l left join ${inSchema("blocks")} b on b.number = l.block_number
where ${conditions.join("\n  and ")}`;
}

/** Whether plain SQL decodes values of the type. */
function isInSql(type: AbiType): boolean {
  return (
    type.kind !== "struct" &&
    (type.kind !== "array" || (!type.item.dynamic && isInSql(type.item) && type.item.kind !== "array"))
  );
}

interface Value {
  sql: string;
  /** What must hold of its bytes. */
  fits: string[];
  /** Of text: whether PostgreSQL can hold it. */
  isText?: string;
}

/** Where a frame begins in the data, as SQL, and that it lies within. */
interface Base {
  at: string;
  fits: string[];
}

function frameBases({ frames }: CompiledEvent): Base[] {
  const bases: Base[] = [];
  for (const [index, { parent, byte, headBytes }] of frames.entries()) {
    const above = bases[parent];
    if (index === 0 || above === undefined) {
      bases.push({ at: "0", fits: [] });
      continue;
    }
    const { at, fits } = followed(above.at, sum(above.at, byte));
    bases.push({ at, fits: [...fits, within(at, String(headBytes))] });
  }
  return bases;
}

function columnValue({ abiType, hashed, place }: Column, bases: readonly Base[]): Value {
  if ("topic" in place) {
    const word = `l.topic${place.topic}`;
    return hashed ? { sql: word, fits: [] } : scalar(abiType, word);
  }
  const base = bases[place.frame]?.at ?? "0";
  const at = sum(base, place.byte);
  switch (abiType.kind) {
    case "bytes":
    case "string": {
      const start = followed(base, at);
      const length = smallNumber(wordAt(start.at));
      const value = part("l.data", sum(start.at, 32), length.sql);
      const fits = [
        ...start.fits,
        within(start.at, "32"),
        length.fits,
        within(sum(start.at, 32), length.sql),
      ];
      if (abiType.kind === "bytes") return { sql: value, fits };
      const isText = `encode(${value}, 'hex') ~ '${utf8}'`;
      return { sql: `case when ${isText} then convert_from(${value}, 'UTF8') end`, fits, isText };
    }
    case "array":
      return arrayOf(abiType, base, at);
    default:
      return scalar(abiType, wordAt(at));
  }
}

function arrayOf({ item, length, dynamic }: AbiType & { kind: "array" }, base: string, at: string): Value {
  const start = dynamic ? followed(base, at) : { at, fits: [] };
  const count =
    length === undefined ? smallNumber(wordAt(start.at)) : { sql: String(length), fits: undefined };
  const first = length === undefined ? sum(start.at, 32) : start.at;
  const value = scalar(item, wordAt(`${first} + 32 * i`));
  // However many there are said to be, no more are looked at than the data has words.
  const items = `generate_series(0, least(${count.sql}, octet_length(l.data) / 32) - 1) i`;
  const itemsFit =
    value.fits.length === 0
      ? []
      : [`not exists (select from ${items} where not (${value.fits.join(" and ")}))`];
  const outer = dynamic
    ? [
        ...start.fits,
        ...(count.fits === undefined ? [] : [within(start.at, "32"), count.fits]),
        within(first, `32 * ${count.sql}::bigint`),
      ]
    : [];
  return { sql: `array(select ${value.sql} from ${items} order by i)`, fits: [...outer, ...itemsFit] };
}

/** A word's value. `word` is SQL, of 32 bytes where the log fits. */
function scalar(type: AbiType, word: string): Value {
  switch (type.kind) {
    case "address":
      return { sql: part(word, "12", "20"), fits: [`${part(word, "0", "12")} = ${zeros(12)}`] };
    case "bool":
      return {
        sql: `${part(word, "31", "1")} = '\\x01'`,
        fits: [`${part(word, "0", "31")} = ${zeros(31)}`, `${part(word, "31", "1")} <= '\\x01'`],
      };
    case "fixed-bytes": {
      if (type.bytes === 32) return { sql: word, fits: [] };
      const rest = 32 - type.bytes;
      return {
        sql: part(word, "0", String(type.bytes)),
        fits: [`${part(word, String(type.bytes), String(rest))} = ${zeros(rest)}`],
      };
    }
    case "integer":
      return integer(type, word);
    default:
      throw new TypeError(`${type.canonical} is no single word`);
  }
}

function integer({ bytes: size, signed }: AbiType & { kind: "integer" }, word: string): Value {
  const bits = size * 8 - (signed ? 1 : 0);
  const rest = 32 - size;
  const top = part(word, String(rest), "1");
  const padding = part(word, "0", String(rest));
  const positive = `${padding} = ${zeros(rest)}`;
  const fits =
    rest === 0
      ? []
      : signed
        ? [`case when ${top} < '\\x80' then ${positive} else ${padding} = '\\x${"ff".repeat(rest)}' end`]
        : [positive];
  if (bits <= 31) return { sql: `${bitsOf(part(word, "28", "4"), 32)}::int`, fits };
  if (bits <= 63) return { sql: `${bitsOf(part(word, "24", "8"), 64)}::bigint`, fits };
  const whole = unsigned(word, size);
  const negative = `case when ${top} >= '\\x80' then ${2n ** BigInt(size * 8)} else 0 end`;
  return { sql: `(${signed ? `${whole} - ${negative}` : whole})::numeric(78,0)`, fits };
}

/** The word's last bytes as a number: pieces of 56 bits, which a bigint holds without a sign. */
function unsigned(word: string, size: number): string {
  const piece = 7;
  let sql = "";
  for (let left = size; left > 0; ) {
    const length = left % piece || piece;
    const number = `${bitsOf(part(word, String(32 - left), String(length)), length * 8)}::bigint`;
    sql = sql === "" ? `${number}::numeric` : `(${sql} * ${2n ** BigInt(piece * 8)} + ${number})`;
    left -= length;
  }
  return sql;
}

/** Where the offset at `at` leads, counted from `base`. What is out of reach is far behind the end of any data. */
function followed(base: string, at: string): Base {
  const offset = smallNumber(wordAt(at));
  return {
    at: base === "0" ? offset.sql : `least(${base} + ${offset.sql}, ${farAway})`,
    fits: [offset.fits],
  };
}

/** Beyond any data's length, and such that three of them still are an int4. */
const farAway = 500_000_000;

/** A word as an int4: `farAway` where it is larger. */
function smallNumber(word: string): { sql: string; fits: string } {
  return {
    sql: `least(${bitsOf(part(word, "28", "4"), 32)}::bigint, ${farAway})::int`,
    fits: `${part(word, "0", "28")} = ${zeros(28)}`,
  };
}

/** That so many bytes from there lie in the data. Never true of what is far away. */
function within(at: string, length: string): string {
  return `${at}::bigint + ${length} <= octet_length(l.data)`;
}

function wordAt(at: string): string {
  return part("l.data", at, "32");
}

/** Bytes from `at`, counted from 0. */
function part(of: string, at: string, length: string): string {
  const from = /^\d+$/.test(at) ? String(Number(at) + 1) : `${at} + 1`;
  return `substring(${of} from ${from} for ${length})`;
}

function sum(at: string, bytes: number): string {
  if (bytes === 0) return at;
  return /^\d+$/.test(at) ? String(Number(at) + bytes) : `${at} + ${bytes}`;
}

function bitsOf(sql: string, bits: number): string {
  return `('x' || encode(${sql}, 'hex'))::bit(${bits})`;
}

function zeros(length: number): string {
  return `'\\x${"00".repeat(length)}'`;
}

function bytes(value: Buffer): string {
  return `'\\x${value.toString("hex")}'`;
}

/** Hex of UTF-8 without NUL: https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-3/#G27506, table 3-7. */
const utf8 = `^(0[1-9a-f]|[1-7].|(c[2-9a-f]|d.)[89ab].|e0[ab].[89ab].|(e[1-9abcef])([89ab].){2}|ed[89].[89ab].|f0[9ab].([89ab].){2}|f[123]([89ab].){3}|f48.([89ab].){2})*$`;

function undecodable(texts: readonly { isText: string; name: string }[]): string {
  if (texts.length === 0) return "null::text[]";
  const names = texts.map(
    ({ isText, name }) => `case when not (${isText}) then '${name.replaceAll("'", "''")}' end`,
  );
  return `nullif(array_remove(array[${names.join(", ")}]::text[], null), '{}')`;
}
