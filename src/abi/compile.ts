// From signatures to compiled events and calls.

import type { AbiParameter } from "viem";
import { keccak256, stringToBytes } from "viem/utils";
import { compileDecoder, type Decode } from "./compile-decoder.js";
import { type Column, type Frame, flatten, type Renames } from "./flatten.js";
import { cutName, mostNameBytes, snakeCase } from "./identifiers.js";
import { type AbiType, parseType } from "./parse-type.js";
import { type AbiItem, readSignatures, type Source } from "./read-signatures.js";
import { SignatureError } from "./signature-error.js";

interface Compiled {
  /** As the contract names it. */
  name: string;
  /** What is hashed: `Transfer(address,address,uint256)`. */
  signature: string;
  /** For people and comments: `Transfer(address indexed from, address indexed to, uint256 value)`. */
  definition: string;
  /** The name in snake_case, as a part of a table's name. Among those compiled together it is unique. */
  table: string;
  /** Of the arguments. `undecodable text[]` follows behind them in what `decode` writes. */
  columns: readonly Column[];
  frames: readonly Frame[];
  /** Whether the data has one length, so that plain SQL can decode it (`eventSql`). */
  isStatic: boolean;
  decode: Decode;
}

export interface CompiledEvent extends Compiled {
  kind: "event";
  /** The first topic, 32 bytes. Undefined: the event is anonymous, and only its address tells it. */
  topic0: Buffer | undefined;
  /** How many topics its logs have, topic0 included. */
  topics: number;
  /** Its data must have this length, and not only at least this one: another event with this topic0 has another one. */
  exactData: boolean;
}

export interface CompiledCall extends Compiled {
  kind: "call";
  /** The first 4 bytes of the input; `decode` wants those behind it as data. */
  selector: Buffer;
}

/** Columns that every table of an event has before the arguments; an argument of that name gets `_`. */
export const eventColumns = [
  "block_number",
  "log_index",
  "block_timestamp",
  "transaction_hash",
  "address",
] as const;

/** The same of calls. */
export const callColumns = [
  "block_number",
  "transaction_index",
  "block_timestamp",
  "transaction_hash",
  "from_address",
  "to_address",
  "status",
] as const;

/** The column behind the arguments. */
export const undecodableColumn = "undecodable";

export interface CompileOptions {
  /**
   * New names: `{ "PairCreated": "created", "PairCreated.3": "pair_count" }`. Of overloads the signature tells which:
   * `"Swap(address,uint256).amount"`.
   */
  rename?: Renames | undefined;
}

/**
 * Compiles the events of one decoder. Throws SignatureError: a signature is wrong, names collide, a rename names nothing,
 * or a log could be one event as well as another.
 */
export function compileEvents(
  sources: readonly Source[],
  { rename = {} }: CompileOptions = {},
): CompiledEvent[] {
  const items = readSignatures("event", sources).map(named);
  const renames = divide(rename, items);
  const events = items.map((item, index) => compileEvent(item, { renames: renames.arguments[index] }));
  const apart = events.map((event, index) =>
    events.some((other, at) => at !== index && needsExactData(event, other))
      ? compileEvent(items[index] as Named, { renames: renames.arguments[index], exactData: true })
      : event,
  );
  return nameTables(apart, renames.tables, ({ topic0 }) => topic0?.toString("hex", 0, 4));
}

/** The same of functions, for calls. */
export function compileCalls(
  sources: readonly Source[],
  { rename = {} }: CompileOptions = {},
): CompiledCall[] {
  const items = readSignatures("function", sources).map(named);
  const renames = divide(rename, items);
  const calls = items.map((item, index) => compileCall(item, renames.arguments[index]));
  return nameTables(calls, renames.tables, ({ selector }) => selector.toString("hex"));
}

/** One event alone. */
export function parseEvent(source: Source, options: CompileOptions = {}): CompiledEvent {
  return only(compileEvents([source], options));
}

/** One function alone. */
export function parseCall(source: Source, options: CompileOptions = {}): CompiledCall {
  return only(compileCalls([source], options));
}

function only<T>(list: readonly T[]): T {
  const [one] = list;
  if (one === undefined || list.length > 1)
    throw new SignatureError(`expected one signature, got ${list.length}`);
  return one;
}

interface Named extends AbiItem {
  signature: string;
}

function named(item: AbiItem): Named {
  const types = item.inputs.map((input) => parseType(input).canonical);
  return { ...item, signature: `${item.name}(${types.join(",")})` };
}

function compileEvent(
  item: Named,
  { renames, exactData = false }: { renames: Renames | undefined; exactData?: boolean },
): CompiledEvent {
  const firstTopic = item.anonymous ? 0 : 1;
  const taken = new Set<string>([...eventColumns, undecodableColumn]);
  return about(item, () => {
    const layout = flatten(item.inputs, { firstTopic, taken, renames });
    const topics = firstTopic + layout.indexed;
    if (topics > 4)
      throw new SignatureError(`${topics - firstTopic} indexed arguments: a log has no topics for them`);
    return {
      kind: "event",
      ...described(item),
      ...layout,
      isStatic: isStatic(layout.columns),
      topic0: item.anonymous ? undefined : hashOf(item.signature),
      topics,
      exactData,
      decode: compileDecoder(layout, { topics, exactData }),
    };
  });
}

function compileCall(item: Named, renames: Renames | undefined): CompiledCall {
  const taken = new Set<string>([...callColumns, undecodableColumn]);
  return about(item, () => {
    const layout = flatten(item.inputs, { firstTopic: 0, taken, renames });
    return {
      kind: "call",
      ...described(item),
      ...layout,
      isStatic: isStatic(layout.columns),
      selector: hashOf(item.signature).subarray(0, 4),
      decode: compileDecoder(layout, { topics: 0 }),
    };
  });
}

function described(item: Named): Pick<Compiled, "name" | "signature" | "definition" | "table"> {
  const { name, signature, inputs, anonymous } = item;
  const definition = `${name}(${inputs.map(parameterText).join(", ")})${anonymous ? " anonymous" : ""}`;
  return { name, signature, definition, table: cutName(snakeCase(name) || name) };
}

function parameterText(parameter: AbiParameter): string {
  const indexed = "indexed" in parameter && parameter.indexed === true ? "indexed" : "";
  return [typeText(parameter), indexed, parameter.name ?? ""].filter((part) => part !== "").join(" ");
}

function typeText(parameter: AbiParameter): string {
  if (!parameter.type.startsWith("tuple") || !("components" in parameter)) return parameter.type;
  return `(${parameter.components.map(parameterText).join(", ")})${parameter.type.slice("tuple".length)}`;
}

function hashOf(signature: string): Buffer {
  return Buffer.from(keccak256(stringToBytes(signature), "bytes"));
}

function isStatic(columns: readonly Column[]): boolean {
  return columns.every(({ abiType, hashed }) => hashed || !abiType.dynamic);
}

/** Says which signature an error is about. */
function about<T>({ signature }: Named, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (error instanceof SignatureError) throw new SignatureError(`${signature}: ${error.message}`);
    throw error;
  }
}

/**
 * Logs have the same topic0, or none, and the same number of topics. True: the length of its data tells them apart, if it is
 * held to be exact. Throws SignatureError where nothing tells them apart.
 */
function needsExactData(event: CompiledEvent, other: CompiledEvent): boolean {
  const isAlike =
    event.topics === other.topics &&
    (event.topic0 === undefined ? other.topic0 === undefined : other.topic0?.equals(event.topic0) === true);
  if (!isAlike) return false;
  const [bytes, otherBytes] = [event, other].map(({ frames }) => frames[0]?.headBytes ?? 0) as [
    number,
    number,
  ];
  if (event.isStatic && other.isStatic && bytes !== otherBytes) return true;
  if (event.isStatic && !other.isStatic && bytes < leastBytes(other)) return true;
  if (!event.isStatic && other.isStatic && otherBytes < leastBytes(event)) return false;
  throw new SignatureError(
    `${event.definition} and ${other.definition}: nothing in a log tells one from the other; leave one out, or decode them at different addresses`,
  );
}

/** The length of the shortest data that an event can have. */
function leastBytes({ frames, columns }: CompiledEvent): number {
  const inFrames = frames.reduce((sum, { headBytes }) => sum + headBytes, 0);
  return columns
    .filter(({ hashed }) => !hashed)
    .reduce((sum, { abiType }) => sum + (abiType.dynamic ? tailBytes(abiType) : 0), inFrames);
}

function tailBytes(type: AbiType): number {
  // A length at least; arrays of a fixed length have none.
  return type.kind === "array" && type.length !== undefined ? 0 : 32;
}

interface DividedRenames {
  tables: Map<number, string>;
  arguments: (Renames | undefined)[];
}

/** Gives each item its renames. Throws SignatureError for one that names none. */
function divide(rename: Renames, items: readonly Named[]): DividedRenames {
  const divided: DividedRenames = { tables: new Map(), arguments: items.map(() => undefined) };
  for (const [key, name] of Object.entries(rename)) {
    const [, who = "", argument] = /^([^.(]*(?:\(.*\))?)(?:\.(.*))?$/s.exec(key) ?? [];
    const found = [...items.keys()].filter((index) => {
      const item = items[index];
      return item?.name === who || item?.signature === who;
    });
    if (found.length === 0)
      throw new SignatureError(
        `rename of ${key}: expected NAME or NAME.ARGUMENT of one of ${items.map((item) => item.signature).join(", ")}`,
      );
    if (argument === undefined) {
      const [index] = found;
      if (index === undefined || found.length > 1)
        throw new SignatureError(
          `rename of ${key}: several have that name; write ${found.map((each) => items[each]?.signature).join(" or ")}`,
        );
      if (name === "" || name.includes("\0") || Buffer.byteLength(name) > mostNameBytes)
        throw new SignatureError(`rename of ${key}: expected a name of 1 to ${mostNameBytes} bytes`);
      divided.tables.set(index, name);
    } else
      for (const index of found) divided.arguments[index] = { ...divided.arguments[index], [argument]: name };
  }
  return divided;
}

/** The first of those with one name keeps it; the others get the first 8 digits of their hash. */
function nameTables<T extends CompiledEvent | CompiledCall>(
  list: readonly T[],
  renames: ReadonlyMap<number, string>,
  digitsOf: (item: T) => string | undefined,
): T[] {
  const taken = new Map<string, T>();
  return list.map((item, index) => {
    const renamed = renames.get(index);
    const digits = digitsOf(item);
    const free =
      !taken.has(item.table) || digits === undefined ? item.table : cutName(`${item.table}_${digits}`);
    const table = renamed ?? free;
    const other = taken.get(table);
    if (other !== undefined)
      throw new SignatureError(
        `${other.definition} and ${item.definition} would both be called ${table}: rename one of them`,
      );
    taken.set(table, item);
    return { ...item, table };
  });
}
